import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { sampleDocument } from './report/sample-document.ts';

const schema = JSON.parse(readFileSync(new URL('../scenarios/results.schema.json', import.meta.url), 'utf8'));
const validate = new Ajv2020({ strict: true, allowUnionTypes: true, allErrors: true }).compile(schema);

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

const sample = () => JSON.parse(JSON.stringify(sampleDocument())) as { [key: string]: Json };

/** Every object in `value` with its path; of an array only the first element is entered. */
function* objects(value: Json, path = '$'): Generator<[string, { [key: string]: Json }]> {
  if (Array.isArray(value)) {
    if (value.length > 0) yield* objects(value[0], `${path}[0]`);
  } else if (value !== null && typeof value === 'object') {
    yield [path, value];
    for (const key of Object.keys(value)) yield* objects(value[key], `${path}.${key}`);
  }
}

/** Maps from names to values, where any key may be there or not. */
const isMap = (path: string) => path.endsWith('.metrics') || path.endsWith('.models');

describe('scenarios/results.schema.json', () => {
  it('accepts a result document as it is written', () => {
    validate(sample());
    expect(validate.errors).toBeNull();
  });

  it('accepts one seed, whose intervals are null', () => {
    validate(JSON.parse(JSON.stringify(sampleDocument({ seeds: [3], policies: 2 }))));
    expect(validate.errors).toBeNull();
  });

  it('refuses a field that it does not know, at every level', () => {
    const paths: string[] = [];
    const document = sample();
    for (const [path, object] of objects(document)) {
      if (isMap(path)) continue;
      paths.push(path);
      object.surprise = 1;
      expect(validate(document), path).toBe(false);
      delete object.surprise;
    }
    expect(paths).toContain('$.policies[0].metrics.waitMeanSeconds');
    expect(paths).toContain('$.guards[0].violations[0]');
    expect(paths.length).toBeGreaterThan(15);
    expect(validate(document)).toBe(true);
  });

  it('refuses a missing field, at every level', () => {
    const document = sample();
    for (const [path, object] of objects(document)) {
      if (isMap(path)) continue;
      for (const key of Object.keys(object)) {
        const kept = object[key];
        delete object[key];
        expect(validate(document), `${path}.${key}`).toBe(false);
        object[key] = kept;
      }
    }
    expect(validate(document)).toBe(true);
  });

  it('refuses values of the wrong kind', () => {
    for (const [key, value] of Object.entries({
      formatVersion: 2,
      format: 'other',
      seeds: [],
      measuredSeconds: -1,
      policies: [],
      objective: null,
    })) {
      expect(validate({ ...sample(), [key]: value }), key).toBe(false);
    }
  });
});
