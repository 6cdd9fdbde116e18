// Cases of the durable topics that showed a bug, as files in scenarios/regress/topics/: one a bug, made small. They are replayed by
// sim/fault/runner/topic-regress.test.ts, and must pass ever after.

import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { projectRoot } from '../../experiment/project-root.ts';
import type { TopicCase } from '../../world/topic-case.ts';

export interface TopicRegressCase {
  /** Of the file, without its ending. */
  readonly name: string;
  /** What the bug was. */
  readonly description: string;
  /** Which oracle found it. */
  readonly oracle: string;
  readonly case: TopicCase;
}

export function topicRegressFolder(): string {
  return join(projectRoot(), 'scenarios', 'regress', 'topics');
}

/** The path written. */
export function writeTopicRegressFile({ name, ...content }: TopicRegressCase, folder = topicRegressFolder()): string {
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `${name}.yaml`);
  const head =
    '# A case of the durable topics that once broke a promise. Replayed by sim/fault/runner/topic-regress.test.ts.\n';
  const options = { lineWidth: 120, collectionStyle: 'any', aliasDuplicateObjects: false } as const;
  writeFileSync(file, head + stringify(content, options));
  return file;
}

/** All saved cases, by name. */
export function readTopicRegressFiles(folder = topicRegressFolder()): TopicRegressCase[] {
  if (!existsSync(folder)) return [];
  const names = readdirSync(folder)
    .filter((name) => name.endsWith('.yaml'))
    .sort((left, right) => (left < right ? -1 : 1));
  return names.map((name) => ({
    name: name.replace(/\.yaml$/, ''),
    ...(parse(readFileSync(join(folder, name), 'utf8')) as Omit<TopicRegressCase, 'name'>),
  }));
}
