// Turns what the JSON Schema validator found into errors a person can act on: which field, where in the file, what was
// expected, and the name that was probably meant. It knows no schema of its own.

import { readFileSync } from 'node:fs';
import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import { type ErrorCode, SiraError } from '../base/errors.ts';
import { nearestName } from '../base/nearest-name.ts';
import type { FieldPath, YamlSource } from './yaml-source.ts';

interface SchemaPart {
  readonly title?: string;
  readonly description?: string;
  readonly properties?: Readonly<Record<string, SchemaPart>>;
  readonly oneOf?: readonly SchemaPart[];
  readonly const?: string;
}

/** Compiled schemas by file: compiling costs a tenth of a second. */
const compiled = new Map<string, ValidateFunction>();

/** Compiles a published schema: strict, every error reported, discriminated unions judged by their tag alone. */
export function compileSchema(file: string): ValidateFunction {
  const known = compiled.get(file);
  if (known !== undefined) return known;
  const ajv = new Ajv({
    allErrors: true,
    strict: true,
    strictRequired: false,
    allowUnionTypes: true,
    discriminator: true,
    verbose: true,
  });
  const schema = ajv.compile(JSON.parse(readFileSync(file, 'utf8')) as object);
  compiled.set(file, schema);
  return schema;
}

/** What is wrong with `source` by `schema`, in the order of the file, under `code`; empty if it is valid. */
export function schemaProblems(
  source: YamlSource,
  schema: ValidateFunction,
  code: ErrorCode = 'SIRA_SCENARIO_INVALID',
): SiraError[] {
  if (schema(source.value)) return [];
  const problems = (schema.errors ?? []).flatMap((error) => problemOf(error, source, code) ?? []);
  return problems.toSorted(
    (left, right) =>
      (left.place.line ?? 0) - (right.place.line ?? 0) || (left.place.column ?? 0) - (right.place.column ?? 0),
  );
}

function problemOf(error: ErrorObject, source: YamlSource, code: ErrorCode): SiraError | undefined {
  const path = pathOf(error.instancePath, source.value);
  const part = (error.parentSchema ?? {}) as SchemaPart;
  const invalid = (detail: string, remedy?: string, at: FieldPath = path, atKey = false): SiraError =>
    new SiraError(code, detail, source.place(at, atKey), remedy);
  switch (error.keyword) {
    case 'additionalProperties': {
      const name = String(error.params.additionalProperty);
      return invalid(
        `unknown field "${name}"`,
        suggest(name, Object.keys(part.properties ?? {})),
        [...path, name],
        true,
      );
    }
    case 'required': {
      if (/\/anyOf\/\d+\/required$/.test(error.schemaPath)) return undefined;
      const name = String(error.params.missingProperty);
      const meaning = part.properties?.[name]?.description;
      return invalid(
        `the field "${name}" is missing${path.length === 0 ? '' : ` in "${path.join('.')}"`}`,
        `Add \`${name}:\`.${meaning === undefined ? '' : ` ${meaning}`}`,
        [...path, name],
      );
    }
    case 'anyOf':
      return invalid('a guard needs atMost or atLeast', 'Add `atMost:` or `atLeast:` with a number.');
    case 'discriminator': {
      const tag = String(error.params.tag);
      const value = error.params.tagValue as unknown;
      if (value === undefined) return undefined;
      const known = (part.oneOf ?? []).map((branch) => branch.properties?.[tag]?.const ?? '');
      return invalid(`unknown ${tag} ${show(value)}`, suggest(String(value), known), [...path, tag]);
    }
    case 'enum': {
      const known = (error.params.allowedValues as unknown[]).map(String);
      return invalid(`${show(error.data)} is not allowed here`, suggest(String(error.data), known));
    }
    case 'type':
    case 'pattern': {
      const expected = part.title ?? typeNames(error.keyword === 'type' ? error.params.type : 'text of another form');
      return invalid(
        error.data === null
          ? `the value is empty; expected ${expected}`
          : `expected ${expected}, not ${show(error.data)}`,
        `Write ${expected}.`,
      );
    }
    case 'minItems':
    case 'minLength':
      return invalid('must not be empty', 'Give at least one.');
    case 'minimum':
    case 'maximum':
    case 'exclusiveMinimum':
    case 'exclusiveMaximum':
      return invalid(
        `must be ${String(error.params.comparison)} ${String(error.params.limit)}, not ${show(error.data)}`,
        `Use a number ${String(error.params.comparison)} ${String(error.params.limit)}.`,
      );
    default:
      return invalid(`${error.message ?? error.keyword}`);
  }
}

/** "Did you mean …?" and the names known. */
export function suggest(name: string, known: readonly string[]): string {
  const near = nearestName(name, known);
  const list = known.join(', ');
  return near === undefined ? `Use one of: ${list}.` : `Did you mean "${near}"? Known here: ${list}.`;
}

function typeNames(type: unknown): string {
  const words: Readonly<Record<string, string>> = {
    object: 'a block of fields',
    array: 'a list',
    string: 'text',
    integer: 'a whole number',
    number: 'a number',
    boolean: 'true or false',
  };
  return String(type)
    .split(',')
    .map((name) => words[name] ?? name)
    .join(' or ');
}

function show(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}

/** A JSON pointer as keys and indices; what is an index shows in the document itself. */
function pathOf(pointer: string, root: unknown): FieldPath {
  const path: (string | number)[] = [];
  let value = root;
  for (const part of pointer.split('/').slice(1)) {
    const name = part.replaceAll('~1', '/').replaceAll('~0', '~');
    const key = Array.isArray(value) ? Number(name) : name;
    path.push(key);
    value = (value as Record<string | number, unknown>)[key];
  }
  return path;
}
