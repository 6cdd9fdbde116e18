// `sira policy`: which policy serves a running kernel, candidates on their way to serve, and who decided what when. Promoting runs the
// gates here, on this machine, and tells the kernel what they found; everything else is the kernel's to decide.

import { readFileSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join, resolve } from 'node:path';
import { SiraError } from '../../core/base/errors.ts';
import { askKernel, defaultKernelUrl, kernelUrl } from '../../core/live/ask-kernel.ts';
import type { WatchLook } from '../../core/policy/drift-watch.ts';
import type { Rollout, RolloutEvent } from '../../core/policy/rollout.ts';
import type { Command, CommandCall, CommandContext } from '../../core/ports/command.ts';
import type { Profile } from '../../core/scheduler/framework.ts';

const actions = [
  ...['list', 'show', 'diff', 'history', 'promote', 'gate', 'judge', 'sign', 'keys'],
  ...['approve', 'pause', 'resume', 'reject', 'rollback'],
] as const;

interface Policies {
  readonly serves: PolicyView;
  readonly good: readonly PolicyView[];
  readonly watch: Partial<WatchLook>;
  readonly rollouts: readonly (Omit<Rollout<unknown>, 'candidate'> & { readonly candidate: PolicyView })[];
}

interface PolicyView {
  readonly version: number;
  readonly name: string;
  readonly artifact: string;
  readonly policy: Readonly<Record<string, unknown>>;
}

export const policyCommand: Command = {
  name: 'policy',
  summary: 'promote scheduling policies on a running kernel, with gates, and roll them back',
  description:
    'list: who serves and how rollouts stand. show ROLLOUT or a stored policy. diff ROLLOUT: candidate against incumbent. history: every step, who and why; --at TIME: who had decided what then. promote POLICY: propose it, run the simulation gate and, with --journal, the replay gate; the kernel shadows it, gives it a canary and decides. gate POLICY: the simulation gate alone. judge ROLLOUT: the off-policy witness, from what the shadow would have done, by the --journal of the kernel. approve, pause, resume, reject, rollback ROLLOUT; rollback alone brings back the policy before. keys FOLDER makes signing keys, sign POLICY keeps a signed policy in --store. A POLICY is an order, a placement, order=sjf,place=best-fit, or the beginning of the hash of a stored one.',
  arguments: [
    { name: 'action', description: actions.join(', '), required: true, many: false },
    { name: 'words', description: 'a policy, a rollout, or a folder', required: false, many: true },
  ],
  options: [
    { flags: '--url <url>', description: `the kernel's HTTP address (default: SIRA_URL or ${defaultKernelUrl})` },
    { flags: '--who <name>', description: 'who decides (default: the user logged in)' },
    { flags: '--why <text>', description: 'why' },
    { flags: '--at <time>', description: 'history: what stood at this time, such as 14:03 or 2026-11-23T14:03' },
    { flags: '--suite <folder>', description: 'scenarios of the simulation gate (default: scenarios/gate)' },
    { flags: '--seeds <count>', description: 'seeds of each of them' },
    { flags: '--journal <folder...>', description: 'promote: data folders of live kernels for the replay gate' },
    { flags: '--plan <file>', description: 'promote: the plan of the rollout, JSON' },
    { flags: '--store <folder>', description: 'signed policies (default: policies)' },
    { flags: '--key <file>', description: 'sign: the private key, PEM' },
    { flags: '--trust <file...>', description: 'public keys whose signature is asked of stored policies' },
    { flags: '--json', description: 'print JSON' },
  ],
  examples: [
    {
      line: 'sira policy promote sjf --why "short tasks wait"',
      meaning: 'propose it, run the gates, hand it to the kernel',
    },
    { line: 'sira policy history --at 14:03', meaning: 'who had decided what at 14:03' },
    { line: 'sira policy rollback --why "users complain"', meaning: 'the last good policy serves again, at once' },
  ],
  run,
};

async function run(call: CommandCall, context: CommandContext): Promise<number> {
  const [action = '', ...words] = call.arguments;
  const url = kernelUrl(call.options.url);
  const said = { who: String(call.options.who ?? userInfo().username), why: String(call.options.why ?? '') };
  const tell = (answer: unknown, text: string): number => {
    context.terminal.write(call.options.json === true ? `${JSON.stringify(answer, undefined, 2)}\n` : text);
    return 0;
  };
  const read = async (): Promise<Policies> => (await askKernel(url, 'GET', '/v1/policies')) as Policies;
  switch (action) {
    case 'list': {
      const policies = await read();
      return tell(policies, listText(policies));
    }
    case 'show':
    case 'diff': {
      const word = words[0] ?? '';
      if (action === 'show' && !/^\d{1,6}$/.test(word)) {
        const { weights: _, ...stored } = await storedPolicy(word, call);
        return tell(stored, `${JSON.stringify(stored, undefined, 2)}\n`);
      }
      const policies = await read();
      const rollout = policies.rollouts.find((each) => each.rollout === Number(word));
      if (rollout === undefined) throw new SiraError('SIRA_NOT_FOUND', `there is no rollout ${word}`);
      if (action === 'show') return tell(rollout, `${JSON.stringify(rollout, undefined, 2)}\n`);
      const before = policies.good.find(({ version }) => version === rollout.incumbentVersion);
      const changes = differences(before?.policy ?? {}, rollout.candidate.policy);
      return tell(changes, changes.map(({ name, from, to }) => `  ${name}  ${from} → ${to}\n`).join(''));
    }
    case 'history': {
      const { events } = (await askKernel(url, 'GET', '/v1/policies/history')) as { events: readonly RolloutEvent[] };
      const until = call.options.at === undefined ? Number.POSITIVE_INFINITY : timeOf(String(call.options.at));
      const shown = events.filter(({ atMicros }) => atMicros <= until);
      return tell(shown, shown.map(eventText).join('') || 'nobody has decided anything\n');
    }
    case 'promote':
      return promote(words, call, context, url, said);
    case 'gate': {
      const report = await gate(await policyOf(words[0], call), {}, call, context);
      return tell(report, `${report.verdict}\n${report.reasons.map((reason) => `  ${reason}\n`).join('')}`);
    }
    case 'judge':
      return judgeOffPolicy(words[0], call, context, url, said);
    case 'approve':
    case 'pause':
    case 'resume':
    case 'reject':
    case 'rollback': {
      if (words[0] === undefined && action !== 'rollback')
        throw new SiraError('SIRA_USAGE', `sira policy ${action} takes the number of a rollout`);
      const path =
        words[0] === undefined ? '/v1/policies/rollback' : `/v1/policies/rollouts/${Number(words[0])}/${action}`;
      await askKernel(url, 'POST', path, said);
      const policies = await read();
      return tell(policies, listText(policies));
    }
    case 'keys': {
      const { createSigningKeys } = await import('./policy-store.ts');
      const folder = resolve(words[0] ?? '.');
      const { privateKey, publicKey } = createSigningKeys();
      writeFileSync(join(folder, 'policy-key.pem'), privateKey, { mode: 0o600, flag: 'wx' });
      writeFileSync(join(folder, 'policy-key.public.pem'), publicKey, { flag: 'wx' });
      return tell({ folder }, `policy-key.pem and policy-key.public.pem are in ${folder}\n`);
    }
    case 'sign': {
      const hash = await signPolicy(words[0], call, said.who, context);
      return tell({ hash }, `${hash}\n`);
    }
    default:
      throw new SiraError('SIRA_USAGE', `sira policy ${action}: the actions are ${actions.join(', ')}`);
  }
}

async function promote(
  words: readonly string[],
  call: CommandCall,
  context: CommandContext,
  url: string,
  said: { readonly who: string; readonly why: string },
): Promise<number> {
  const { terminal } = context;
  const candidate = await policyOf(words[0], call);
  const plan =
    call.options.plan === undefined ? {} : { plan: JSON.parse(readFileSync(String(call.options.plan), 'utf8')) };
  const { name, hash, ...policy } = candidate;
  const { serves } = (await askKernel(url, 'GET', '/v1/policies')) as Policies;
  const { rollout } = (await askKernel(url, 'POST', '/v1/policies/rollouts', {
    ...{ name, policy, artifact: hash, ...plan, ...said },
  })) as { rollout: number };
  terminal.write(`rollout ${rollout} of ${name} is proposed\n`);
  const witness = async (which: string, verdict: string, evidence: string): Promise<void> => {
    const body = { witness: which, verdict, evidence: evidence.slice(0, 2000), ...said };
    await askKernel(url, 'POST', `/v1/policies/rollouts/${rollout}/witness`, body);
    terminal.write(`${which}: ${verdict}; ${evidence}\n`);
  };
  const report = await gate(candidate, serves.policy as Partial<Profile>, call, context);
  await witness('simulation', report.verdict, `${report.reasons.join('; ')} (digest ${report.digest.slice(0, 16)})`);
  if (report.verdict !== 'pass') return 1;
  const { journal } = call.options;
  if (journal === undefined) {
    terminal.write('no journal is given: the replay gate waits for a witness, or a person who approves\n');
    return 0;
  }
  const { replayGate } = await import('./replay-gate.ts');
  const folders = (Array.isArray(journal) ? journal : [journal]) as readonly string[];
  const sources = folders.map((folder) => ({ folder: resolve(folder), codeHash: undefined }));
  const replay = replayGate(sources, policy);
  await witness('replay', replay.verdict, `${replay.reason}, ${replay.tasks} tasks`);
  return replay.verdict === 'pass' ? 0 : 1;
}

/** What the journal says of a candidate that was in the shadow: told to the kernel as the off-policy witness. */
async function judgeOffPolicy(
  word: string | undefined,
  call: CommandCall,
  { terminal }: CommandContext,
  url: string,
  said: { readonly who: string; readonly why: string },
): Promise<number> {
  const { journal } = call.options;
  if (word === undefined || journal === undefined)
    throw new SiraError('SIRA_USAGE', 'sira policy judge takes the number of a rollout, and --journal');
  const { offPolicyOf } = await import('./off-policy-witness.ts');
  const folder = resolve(String(Array.isArray(journal) ? journal[0] : journal));
  const { verdict, evidence } = offPolicyOf({ folder, codeHash: undefined }, Number(word));
  const body = { witness: 'offPolicy', verdict, evidence, ...said };
  await askKernel(url, 'POST', `/v1/policies/rollouts/${Number(word)}/witness`, body);
  terminal.write(`offPolicy: ${verdict}; ${evidence}\n`);
  return verdict === 'fail' ? 1 : 0;
}

async function gate(candidate: NamedPolicy, incumbent: Partial<Profile>, call: CommandCall, context: CommandContext) {
  const { simulationGate } = await import('./simulation-gate.ts');
  const base = { order: 'fcfs', place: 'first-fit', unplaced: 'skip', backfill: 'none', overtakeMax: 0 } as const;
  const { hash: _, ...policy } = candidate;
  const before = { ...base, ...incumbent };
  return simulationGate(
    { ...before, name: 'incumbent' },
    { ...before, ...policy },
    {
      suite: String(call.options.suite ?? join(context.projectRoot, 'scenarios', 'gate')),
      seeds: call.options.seeds === undefined ? undefined : Number(call.options.seeds),
      progress: (scenario, share) => {
        if (context.terminal.interactive)
          context.terminal.writeError(`\r${scenario} ${Math.round(100 * share)}%\u001b[K`);
      },
    },
  );
}

type NamedPolicy = Partial<Profile> & { readonly name: string; readonly hash: string };

/** Words of a policy, or the beginning of the hash of a stored one. */
async function policyOf(word: string | undefined, call: CommandCall): Promise<NamedPolicy> {
  if (word === undefined)
    throw new SiraError('SIRA_USAGE', 'which policy? Give an order, a placement, or a stored one');
  if (/^[0-9a-f]{8,64}$/.test(word)) {
    const { document, hash, weights } = await storedPolicy(word, call);
    const artifact = weights === undefined ? {} : { artifact: Buffer.from(weights).toString('base64') };
    return { ...document.policy, ...artifact, name: document.name, hash };
  }
  const { readChange } = await import('../../sim/replay/tell-what-if.ts');
  return { ...readChange(word, undefined).policy, name: word, hash: '' };
}

async function storedPolicy(prefix: string, call: CommandCall) {
  const { PolicyStore } = await import('./policy-store.ts');
  const { trust } = call.options;
  const files = trust === undefined ? undefined : ((Array.isArray(trust) ? trust : [trust]) as readonly string[]);
  const keys = files?.map((file) => readFileSync(file, 'utf8'));
  return new PolicyStore(resolve(String(call.options.store ?? 'policies'))).get(prefix, keys);
}

async function signPolicy(
  word: string | undefined,
  call: CommandCall,
  who: string,
  context: CommandContext,
): Promise<string> {
  const { PolicyStore } = await import('./policy-store.ts');
  if (call.options.key === undefined) throw new SiraError('SIRA_USAGE', 'sira policy sign takes --key FILE');
  const { name, hash, artifact, ...policy } = await policyOf(word, call);
  const weights = artifact === undefined ? undefined : Buffer.from(artifact, 'base64');
  const { createHash } = await import('node:crypto');
  return new PolicyStore(resolve(String(call.options.store ?? 'policies'))).put(
    {
      ...{ format: 'sira-policy', formatVersion: 1, name, policy, parents: hash === '' ? [] : [hash] },
      weightsSha256: weights === undefined ? null : createHash('sha256').update(weights).digest('hex'),
      lineage: { command: context.line, sira: context.version },
      ...{ createdAt: new Date().toISOString(), createdBy: who },
    },
    readFileSync(String(call.options.key), 'utf8'),
    weights,
  );
}

function listText({ serves, good, watch, rollouts }: Policies): string {
  const lines = [`serves: ${serves.name} (version ${serves.version})`];
  lines.push(`trusted: ${good.map(({ name, version }) => `${name} (${version})`).join(', then ')}`);
  if (watch.inputs !== undefined) lines.push(...watchLines(watch as WatchLook));
  for (const { rollout, candidate, stage, paused, awaitsApproval, canary, testimonies } of rollouts) {
    const standing =
      paused !== '' ? `, stands still: ${paused}` : awaitsApproval ? `, ${awaitsApproval} awaits approval` : '';
    lines.push(`rollout ${rollout}  ${candidate.name} (version ${candidate.version})  ${stage}${standing}`);
    for (const { witness, verdict, evidence } of testimonies) lines.push(`  ${witness}: ${verdict}; ${evidence}`);
    if (canary !== undefined && canary !== null)
      lines.push(`  canary: ${canary.tasks} tasks, ${canary.pairs} pairs, harm ${canary.harmTasks.toFixed(1)} tasks`);
  }
  return `${lines.join('\n')}\n`;
}

/** What the policy that serves is held to since its promotion, and how it stands. */
function watchLines({ arrived, slowdown, slowdownPromised, inputs }: WatchLook): string[] {
  const shown = (value: number | null): string => (value === null ? '—' : value.toFixed(2));
  return [
    `watched for ${arrived} tasks: slowdown ${shown(slowdown)}, promised ${shown(slowdownPromised)}`,
    ...inputs.map(
      ({ input, source, stability, bound }) =>
        `  ${input}: shift ${shown(stability)} from the ${source}, bound ${shown(bound)}`,
    ),
  ];
}

function eventText({ rollout, from, to, who, why, atMicros, servesVersion }: RolloutEvent): string {
  const when = new Date(atMicros / 1000).toISOString();
  return `${when}  rollout ${rollout}: ${from} → ${to}  by ${who}${why === '' ? '' : `: ${why}`}; version ${servesVersion} serves\n`;
}

function differences(from: Readonly<Record<string, unknown>>, to: Readonly<Record<string, unknown>>) {
  const names = [...new Set([...Object.keys(from), ...Object.keys(to)])].filter((name) => name !== 'name');
  return names
    .map((name) => ({ name, from: JSON.stringify(from[name]) ?? '—', to: JSON.stringify(to[name]) ?? '—' }))
    .filter((change) => change.from !== change.to);
}

/** `14:03` is of today, by this machine's clock; the end of the minute or second that is named. */
function timeOf(text: string): number {
  const today = new Date();
  const pad = (value: number): string => String(value).padStart(2, '0');
  const day = `${today.getFullYear()}-${pad(today.getMonth() + 1)}-${pad(today.getDate())}`;
  const millis = Date.parse(
    /^\d{1,2}:\d{2}(:\d{2})?$/.test(text) ? `${day}T${text.padStart(text.length < 6 ? 5 : 8, '0')}` : text,
  );
  if (Number.isNaN(millis)) throw new SiraError('SIRA_USAGE', `"${text}" is no time such as 14:03 or 2026-11-23T14:03`);
  const length = /^\d{1,2}:\d{2}$|T\d{2}:\d{2}$/.test(text) ? 60_000 : 1000;
  return (millis + length - 1) * 1000;
}
