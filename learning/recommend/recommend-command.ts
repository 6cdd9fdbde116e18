// `sira recommend`: what could be better in a running kernel, on what evidence, and what became of it. It speaks to the kernel over HTTP
// alone; whoever reads and decides there, here or in the console sees the same.

import { userInfo } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import { createColors } from 'picocolors';
import { SiraError } from '../../core/base/errors.ts';
import { askKernel, defaultKernelUrl, kernelUrl } from '../../core/live/ask-kernel.ts';
import type { Command, CommandCall, CommandContext } from '../../core/ports/command.ts';
import { intervalText, percent, signedPercent } from './judge-change.ts';
import type { AnalysisView, Change, Ledger, Recommendation } from './recommendation.ts';

const actions = ['list', 'show', 'analyse', 'simulate', 'apply', 'dismiss', 'rollback', 'what-if', 'ledger'] as const;

export const recommendCommand: Command = {
  name: 'recommend',
  summary: 'what could be better in a running kernel, simulated; apply it, and see what it did',
  description:
    'list: what is recommended and how the rest stands. show ID: effect with its interval, evidence, risk, and what became of it. analyse: look now. simulate ID: again, on the latest telemetry. apply ID: put it in force; of what a person must do by hand, say that it is done. dismiss ID, rollback ID. what-if CHANGE…: simulate a change of your own, such as order=sjf, scheduler.backoffMaxMicros=1000000, add=2, remove=AGENT, sleep=60s or retrain=durations. ledger: how good past advice was. The kernel must have been started with --recommendations and --telemetry.',
  arguments: [
    { name: 'action', description: actions.join(', '), required: true, many: false },
    { name: 'words', description: 'the number of a recommendation, or a change', required: false, many: true },
  ],
  options: [
    { flags: '--url <url>', description: `the kernel's HTTP address (default: SIRA_URL or ${defaultKernelUrl})` },
    { flags: '--who <name>', description: 'who decides (default: the user logged in)' },
    { flags: '--why <text>', description: 'why' },
    { flags: '--kind <kind>', description: 'list: of this kind alone' },
    { flags: '--state <state>', description: 'list: in this state alone' },
    { flags: '--risk <level>', description: 'list: of this risk alone' },
    { flags: '--wait', description: 'analyse, simulate, what-if: until it is simulated' },
    { flags: '--json', description: 'print what the kernel answers' },
  ],
  examples: [
    { line: 'sira recommend list', meaning: 'what is recommended now' },
    { line: 'sira recommend show 3', meaning: 'its effect, its evidence, and the command that repeats it' },
    {
      line: 'sira recommend apply 3 --why "waits are long"',
      meaning: 'put it in force; it is measured, and reverted if need be',
    },
    { line: 'sira recommend what-if order=sjf --wait', meaning: 'what another queue order would do' },
  ],
  run,
};

async function run(call: CommandCall, context: CommandContext): Promise<number> {
  const [action = '', ...words] = call.arguments;
  if (!(actions as readonly string[]).includes(action))
    throw new SiraError('SIRA_USAGE', `sira recommend ${action}: the actions are ${actions.join(', ')}`);
  const url = kernelUrl(call.options.url);
  const { colour } = context.terminal;
  const tell = (answer: unknown, text: string): number => {
    context.terminal.write(call.options.json === true ? `${JSON.stringify(answer, undefined, 2)}\n` : text);
    return 0;
  };
  const said = { who: String(call.options.who ?? userInfo().username), why: String(call.options.why ?? '') };
  const waits = call.options.wait === true;
  switch (action) {
    case 'list': {
      const answer = await list(url, call.options);
      return tell(answer, listText(answer, colour));
    }
    case 'ledger': {
      const ledger = (await askKernel(url, 'GET', '/v1/recommendations/ledger')) as Ledger;
      return tell(ledger, ledgerText(ledger));
    }
    case 'analyse': {
      await askKernel(url, 'POST', '/v1/recommendations');
      let answer = await list(url, call.options);
      while (waits && answer.analysis.state === 'running') {
        await pause(500);
        answer = await list(url, call.options);
      }
      return tell(answer, listText(answer, colour));
    }
    case 'what-if': {
      const asked = (await askKernel(url, 'POST', '/v1/what-if', {
        change: readChange(words),
        ...said,
      })) as Recommendation;
      const one = waits ? await simulated(url, asked) : asked;
      return tell(one, recommendationText(one, colour));
    }
    case 'show': {
      const one = (await askKernel(url, 'GET', `/v1/recommendations/${idOf(words)}`)) as Recommendation;
      return tell(one, recommendationText(one, colour));
    }
    default: {
      const answer = await askKernel(url, 'POST', `/v1/recommendations/${idOf(words)}:${action}`, said);
      const one =
        action === 'simulate' && waits ? await simulated(url, answer as Recommendation) : (answer as Recommendation);
      return tell(one, recommendationText(one, colour));
    }
  }
}

interface Listed {
  readonly recommendations: readonly Recommendation[];
  readonly analysis: AnalysisView;
}

async function list(url: string, { kind, state, risk }: CommandCall['options']): Promise<Listed> {
  const query = new URLSearchParams({ limit: '200' });
  for (const [name, value] of Object.entries({ kind, state, risk }))
    if (value !== undefined) query.set(name, String(value));
  return (await askKernel(url, 'GET', `/v1/recommendations?${query}`)) as Listed;
}

async function simulated(url: string, asked: Recommendation): Promise<Recommendation> {
  let one = asked;
  while (one.state === 'simulating') {
    await pause(300);
    one = (await askKernel(url, 'GET', `/v1/recommendations/${asked.id}`)) as Recommendation;
  }
  return one;
}

function idOf([word = '']: readonly string[]): number {
  if (!/^\d{1,15}$/.test(word)) throw new SiraError('SIRA_USAGE', `"${word}" is no number of a recommendation`);
  return Number(word);
}

const policyFields = ['order', 'place', 'unplaced', 'backfill', 'preempt'];

/** `name=value` each. Throws SIRA_USAGE. */
export function readChange(words: readonly string[]): Change {
  const policy: Record<string, string | number> = {};
  const settings: Record<string, number> = {};
  const machines: { add?: number; remove?: string[] } = {};
  let rest: Change = {};
  if (words.length === 0) throw new SiraError('SIRA_USAGE', 'sira recommend what-if takes a change, such as order=sjf');
  for (const word of words) {
    const [, name = '', value = ''] = /^([^=]+)=(.+)$/.exec(word) ?? [];
    const number = Number(value);
    if (policyFields.includes(name)) policy[name] = value;
    else if (name === 'overtakeMax') policy[name] = number;
    else if (name === 'add') machines.add = number;
    else if (name === 'remove') machines.remove = value.split(',');
    else if (name === 'retrain' && value === 'durations') rest = { ...rest, retrain: 'durations' };
    else if (name === 'sleep' && /^\d+s$/.test(value))
      rest = { ...rest, sleep: { afterMicros: Number(value.slice(0, -1)) * 1_000_000 } };
    else if (name.includes('.') && Number.isFinite(number)) settings[name] = number;
    else throw new SiraError('SIRA_USAGE', `"${word}" is no change such as order=sjf, add=2 or sleep=60s`);
  }
  return {
    ...(Object.keys(policy).length === 0 ? {} : { policy: policy as NonNullable<Change['policy']> }),
    ...(Object.keys(settings).length === 0 ? {} : { settings }),
    ...(Object.keys(machines).length === 0 ? {} : { machines }),
    ...rest,
  };
}

function listText({ recommendations, analysis }: Listed, colour: boolean): string {
  const colours = createColors(colour);
  const lines = recommendations.map(({ id, kind, state, title, effects, risk, progress }) => {
    const [effect] = effects;
    const told =
      effect === undefined
        ? state === 'simulating'
          ? `${Math.round(100 * progress)}% simulated`
          : ''
        : `${effect.title} ${signedPercent(effect.change.mean)}, ${intervalText(effect.change)}${risk === null ? '' : `; ${risk.level} risk`}`;
    return `${String(id).padStart(4)}  ${colours.cyan(state.padEnd(14))} ${kind.padEnd(10)} ${colours.bold(title)}${told === '' ? '' : `  ${told}`}\n`;
  });
  const head = analysis.state === 'none' ? 'no analysis yet\n' : `analysis ${analysis.state}: ${analysis.sentence}\n`;
  return head + (lines.join('') || 'nothing is recommended\n');
}

function recommendationText(one: Recommendation, colour: boolean): string {
  const colours = createColors(colour);
  const { evidence, risk, realized } = one;
  const lines = [
    `${colours.bold(one.title)}  (${one.id}, ${one.kind}, ${colours.cyan(one.state)})`,
    `  ${one.finding}`,
  ];
  for (const reason of one.reasons) lines.push(`  ${reason}`);
  for (const { title, unit, present, changed, change, atMost } of one.effects) {
    const bound = atMost === null ? '' : `, at most ${signedPercent(atMost)}`;
    lines.push(
      `  ${title}: ${present.toPrecision(3)} → ${changed.toPrecision(3)} ${unit}  ${signedPercent(change.mean)} (${intervalText(change)}${bound})`,
    );
  }
  if (risk !== null) lines.push(`  risk: ${risk.level}, ${risk.rule}`);
  for (const step of one.steps) lines.push(`  do: ${step}`);
  if (evidence !== null) {
    const { tasks, fidelity, seeds, digest, commands } = evidence;
    lines.push(
      `  evidence: ${tasks} tasks, ${seeds.length} seeds, simulator off by ${percent(fidelity)}, digest ${digest.slice(0, 16)}`,
    );
    for (const command of commands) lines.push(`    ${command}`);
  }
  if (realized !== null) lines.push(`  realized: ${realized.reason}`);
  for (const { atMicros, state, who, why } of one.history)
    lines.push(`  ${new Date(atMicros / 1000).toISOString()}  ${state}  by ${who}${why === '' ? '' : `: ${why}`}`);
  return `${lines.join('\n')}\n`;
}

function ledgerText({ entries, summaries }: Ledger): string {
  if (entries.length === 0) return 'no advice was followed and measured yet\n';
  const lines = summaries.map(
    ({ kind, count, coverage, meanError, widening }) =>
      `${kind.padEnd(10)} ${count} followed, ${percent(coverage)} within the interval, mean error ${signedPercent(meanError)}, intervals × ${widening.toFixed(2)}`,
  );
  for (const { id, title, expected, realized, verdict, outcome } of entries)
    lines.push(
      `${String(id).padStart(4)}  ${title}: expected ${intervalText(expected)}, realized ${signedPercent(realized)} (${verdict}); ${outcome}`,
    );
  return `${lines.join('\n')}\n`;
}
