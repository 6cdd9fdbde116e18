import { expect, test } from 'vitest';
import { downloadRemedy, runTool } from './run-tool.ts';

const call = (program: string, words: readonly string[]) =>
  runTool({ program, words, purpose: 'try it', remedy: (output) => (output === '' ? 'install it' : 'mend it') });

test('answers what the program printed', async () => {
  expect(await call(process.execPath, ['-e', 'console.error("noise"); process.stdout.write("42")'])).toBe('42');
});

test('a missing program and a failing one are different errors, each with its way out', async () => {
  await expect(call('surely-no-such-program', [])).rejects.toMatchObject({
    code: 'SIRA_PROVISION_FAILED',
    message: 'to try it, surely-no-such-program is needed and not found',
    remedy: 'install it',
  });
  await expect(call(process.execPath, ['-e', 'throw new Error("no room")'])).rejects.toMatchObject({
    code: 'SIRA_PROVISION_FAILED',
    message: expect.stringMatching(/^could not try it: .*ended with 1\n[\s\S]*Error: no room$/),
    remedy: 'mend it',
  });
});

test('a download that fails for want of a network says so', () => {
  const remedy = downloadRemedy('the registry', 'look above');
  expect(remedy('npm error code ENOTFOUND')).toContain('the registry can be reached');
  expect(remedy('(from versions: none)')).toContain('can be reached');
  expect(remedy('404 Not Found')).toBe('look above');
});
