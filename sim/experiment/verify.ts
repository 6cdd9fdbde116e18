// The proof of determinism: every policy and seed runs twice, in two processes, and once more with the kernel replaced by its
// own snapshot half-way. The trails of effects must be equal; if they are not, the first effect that differs is shown.

import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { SiraError } from '../../core/base/errors.ts';
import type { CommandContext } from '../../core/ports/command.ts';
import { firstDifferingEffect, firstDifferingStretch, type Trail } from './effect-trace.ts';
import { errorOf } from './error-parts.ts';
import { reproduceCommand } from './reproduce.ts';
import type { Scenario } from './scenario.ts';
import type { VerifyAnswer, VerifyRequest } from './verify-process.ts';

/** A process that answers one request after the other. */
class Verifier {
  private readonly child: ChildProcess;

  constructor() {
    const file = new URL(
      import.meta.url.endsWith('.ts') ? '../../dist/sim/experiment/verify-process.js' : './verify-process.js',
      import.meta.url,
    );
    this.child = fork(fileURLToPath(file), ['verify']);
  }

  ask(request: VerifyRequest): Promise<Trail> {
    return new Promise((resolve, reject) => {
      const left = (code: number | null): void => reject(new Error(`a verifying process ended with code ${code}`));
      this.child.once('exit', left);
      this.child.once('message', (answer: VerifyAnswer) => {
        this.child.off('exit', left);
        if ('trail' in answer) resolve(answer.trail);
        else reject(errorOf(answer.error));
      });
      this.child.send(request);
    });
  }

  end(): void {
    this.child.kill();
  }
}

/** Verifies the whole scenario; exit code 0, or SIRA_NOT_DETERMINISTIC with the first difference. */
export async function verifyDeterminism(
  scenario: Scenario,
  file: string,
  context: CommandContext,
  progress: (share: number) => void,
): Promise<number> {
  const first = new Verifier();
  const second = new Verifier();
  try {
    const runs = scenario.seeds.flatMap((seed) => scenario.policies.map((policy) => ({ policy: policy.name, seed })));
    let effects = 0;
    for (const [index, { policy, seed }] of runs.entries()) {
      const ask = (verifier: Verifier, restored: boolean, wordsFrom = -1): Promise<Trail> =>
        verifier.ask({ file, policy, seed, restored, wordsFrom });
      // The third run goes to whichever process is through first; both are the same program.
      const [one, two] = await Promise.all([ask(first, false), ask(second, false)]);
      await compare(
        one,
        two,
        'two processes',
        (from) => Promise.all([ask(first, false, from), ask(second, false, from)]),
        file,
        policy,
        seed,
      );
      const restored = await ask(index % 2 === 0 ? first : second, true);
      await compare(
        one,
        restored,
        'the run and the one restored from its snapshot',
        (from) => Promise.all([ask(first, false, from), ask(second, true, from)]),
        file,
        policy,
        seed,
      );
      effects += one.effects;
      progress((index + 1) / runs.length);
    }
    context.terminal.write(
      `Deterministic: ${runs.length} runs, each twice in two processes and once restored from a mid-run snapshot; ${effects.toLocaleString('en')} effects equal.\n`,
    );
    return 0;
  } finally {
    first.end();
    second.end();
  }
}

async function compare(
  one: Trail,
  two: Trail,
  what: string,
  inWords: (from: number) => Promise<[Trail, Trail]>,
  file: string,
  policy: string,
  seed: number,
): Promise<void> {
  const stretch = firstDifferingStretch(one, two);
  if (stretch === undefined) return;
  const [left, right] = await inWords(stretch);
  const [mine, other] = firstDifferingEffect(left, right) ?? ['the difference did not come again', ''];
  throw new SiraError(
    'SIRA_NOT_DETERMINISTIC',
    `policy ${policy}, seed ${seed}: ${what} differ from effect ${stretch} on.\n  one:   ${mine}\n  other: ${other}`,
    { file },
    `Reproduce it with \`${reproduceCommand(file, policy, seed)} --verify\`.`,
  );
}
