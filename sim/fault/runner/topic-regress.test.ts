// Every saved case of the durable topics keeps every promise; and cases that fail are made smaller, written and read back.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { TopicCase } from '../../world/topic-case.ts';
import type { Finding } from '../check-case.ts';
import { checkTopicCase } from '../topics/check-topic-case.ts';
import { drawTopicCase } from '../topics/draw-topic-case.ts';
import { shrinkTopicCase } from '../topics/shrink-topic-case.ts';
import { readTopicRegressFiles, writeTopicRegressFile } from './topic-regress-file.ts';

const saved = readTopicRegressFiles();

test.runIf(saved.length > 0).each(saved.map((regress) => [regress.name, regress] as const))(
  '%s keeps every promise',
  (_, regress) => {
    expect(checkTopicCase(regress.case).finding).toBeUndefined();
  },
);

test('a failing case is made small', () => {
  // Fails whenever two members share a group and a crash is drawn.
  const check = ({ members, faults }: TopicCase): Finding | undefined => {
    const groups = members.map(({ group }) => group.name);
    const fails = new Set(groups).size < groups.length && faults.some(({ kind }) => kind === 'brokerCrash');
    return fails ? { oracle: 'x', what: 'x', chain: [] } : undefined;
  };
  const seed = Array.from({ length: 200 }, (_, index) => index).find(
    (index) => check(drawTopicCase(index)) !== undefined,
  );
  const shrunk = shrinkTopicCase(drawTopicCase(seed ?? 0), { runsMax: 1000, check });
  expect(shrunk?.case.members).toHaveLength(2);
  expect(shrunk?.case.faults).toHaveLength(1);
  expect(shrunk?.case.producers).toHaveLength(0);
  expect(shrinkTopicCase(drawTopicCase(1), { runsMax: 10, check: () => undefined })).toBeUndefined();
});

test('a saved case is the same when it is read', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sira-topics-'));
  try {
    const regress = { name: 'x', description: 'It was so.', oracle: 'topic order', case: drawTopicCase(5) };
    writeTopicRegressFile(regress, folder);
    expect(readTopicRegressFiles(folder)).toEqual([regress]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
