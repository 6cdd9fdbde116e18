// Runs the programs that provisioning needs, and turns their failures into errors that say what to do.

import { type ChildProcess, spawn } from 'node:child_process';
import { SiraError } from '../../core/base/errors.ts';

export interface ToolCall {
  readonly program: string;
  readonly words: readonly string[];
  /** What is being done, for the error: `download tensorflow-cpu`. */
  readonly purpose: string;
  readonly environment?: Readonly<Record<string, string>>;
  /** What to do when it fails; asked with what the program printed. */
  remedy(output: string): string;
}

/** What the program printed to standard output. Throws `SIRA_PROVISION_FAILED` if it is missing or fails, with the end of what it
 *  printed. */
export async function runTool(call: ToolCall): Promise<string> {
  const child: ChildProcess = spawn(call.program, call.words, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...call.environment },
  });
  let output = '';
  let all = '';
  child.stdout!.on('data', (bytes: Buffer) => {
    output += bytes;
    all += bytes;
  });
  child.stderr!.on('data', (bytes: Buffer) => {
    all += bytes;
  });
  const ended = await new Promise<{ code: number | null; missing: boolean }>((resolve) => {
    child.once('error', () => resolve({ code: null, missing: true }));
    child.once('close', (code) => resolve({ code, missing: false }));
  });
  if (ended.missing)
    throw new SiraError(
      'SIRA_PROVISION_FAILED',
      `to ${call.purpose}, ${call.program} is needed and not found`,
      {},
      call.remedy(''),
    );
  if (ended.code !== 0) {
    // Of a program in Node the stack would crowd out the message.
    const lines = all.split('\n').filter((line) => !/^\s*(at .*|\^*|Node\.js v.*)$/.test(line));
    const tail = lines.slice(-6).join('\n');
    throw new SiraError(
      'SIRA_PROVISION_FAILED',
      `could not ${call.purpose}: ${call.program} ended with ${ended.code ?? 'a signal'}\n${tail}`,
      {},
      call.remedy(all),
    );
  }
  return output;
}

// pip, told to be quiet, says only that it found no version at all.
const unreachable =
  /ENOTFOUND|ECONNREFUSED|ETIMEDOUT|EAI_AGAIN|Could not fetch|Connection|Temporary failure|getaddrinfo|timed out|from versions: none/i;

/** Remedies of a download: the network, or something else that `otherwise` names. */
export function downloadRemedy(registry: string, otherwise: string): (output: string) => string {
  return (output) =>
    unreachable.test(output)
      ? `Check that ${registry} can be reached from here (proxy, certificates), then try again; until then the wasm backend is used.`
      : otherwise;
}
