import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { buildDigest } from './swarm-state.ts';

describe('the digest of a build', () => {
  const changes = (name: string, text = 'another()'): boolean => {
    const top = mkdtempSync(join(tmpdir(), 'build-'));
    try {
      const write = (file: string, content: string): void => {
        mkdirSync(dirname(join(top, file)), { recursive: true });
        writeFileSync(join(top, file), content);
      };
      for (const file of ['core/kernel/kernel.js', 'sim/world/world.js']) write(file, 'one()');
      const before = buildDigest(top);
      expect(buildDigest(top)).toBe(before);
      write(name, text);
      return buildDigest(top) !== before;
    } finally {
      rmSync(top, { recursive: true });
    }
  };

  it('changes with whatever decides what a seed does', () => {
    for (const name of ['core/kernel/kernel.js', 'core/bus/new.js', 'sim/world/world.js', 'sim/live/new.js'])
      expect(changes(name), name).toBe(true);
  });

  it('does not change with the live kernel, with tests, or with what does not run', () => {
    const names = [
      ...['core/live/start.js', 'core/live/http/server.js', 'core/stores/files.js', 'core/proto/generated/a.ts'],
      ...['core/deploy/x.js', 'core/kernel/kernel.test.js', 'sim/world/world.bench.ts', 'core/live/README.md'],
    ];
    for (const name of names) expect(changes(name), name).toBe(false);
  });
});
