// `sira start`: the live kernel in this process, until it is told to stop. Standard output says what listens where; logs go to
// standard error, one JSON object a line.

import { resolve } from 'node:path';
import { createColors } from 'picocolors';
import { SiraError } from '../base/errors.ts';
import type { Command, CommandCall, CommandContext } from '../ports/command.ts';
import type { HttpPlugin } from './http/server.ts';
import { readStart } from './start-document.ts';
import { type StartFields, type StartSettings, startSettings, withEnvironment, withField } from './start-settings.ts';

/** The options that set a field, each above file and environment. */
const optionFields: Readonly<Record<string, string>> = {
  data: 'data',
  grpc: 'grpc.address',
  http: 'http.address',
  durability: 'durability',
  security: 'security.folder',
  clear: 'security.clear',
  logLevel: 'log.level',
  telemetry: 'telemetry.store',
};

/** The plug-ins of higher layers that these settings ask for. */
export type PluginsOf = (settings: StartSettings) => Promise<readonly HttpPlugin[]>;

export const startCommand = (pluginsOf: PluginsOf): Command => ({
  name: 'start',
  summary: 'run the kernel for real: agents and submitters connect over gRPC',
  description:
    'Runs the kernel in this process, with embedded defaults: no server, no root. SIGTERM and SIGINT stop it cleanly; whatever ends it otherwise, nothing acknowledged is lost.',
  arguments: [],
  options: [
    { flags: '-c, --config <file>', description: 'a configuration, YAML; `sira check` validates it' },
    { flags: '--data <folder>', description: 'journal, snapshots and payloads (default: sira-data)' },
    { flags: '--grpc <address>', description: 'where agents and submitters connect (default: 127.0.0.1:7420)' },
    { flags: '--http <address>', description: 'API, metrics and console (default: 127.0.0.1:7421)' },
    {
      flags: '--durability <what>',
      description: 'what an acknowledgement outlives: powerFailure syncs the disk, processCrash does not',
      choices: ['powerFailure', 'processCrash'],
    },
    { flags: '--security <folder>', description: 'certificates and tokens of `sira certs`: only who has one connects' },
    {
      flags: '--clear <where>',
      description: 'where it may listen unencrypted, taking everybody for an operator (default: loopback)',
      choices: ['loopback', 'everywhere'],
    },
    { flags: '--telemetry <store>', description: 'keep telemetry in a DuckDB file, or in QuestDB at http://HOST:PORT' },
    {
      flags: '--recommendations',
      description: 'advise what could be better, from telemetry and simulation (`sira recommend`)',
    },
    { flags: '--record-topics', description: 'keep what reaches the durable topics, for `sira replay --broker`' },
    {
      flags: '--log-level <level>',
      description: 'least severe log',
      choices: ['debug', 'info', 'warn', 'error', 'silent'],
    },
  ],
  examples: [
    { line: 'sira start', meaning: 'a kernel on this machine' },
    { line: 'sira start --config sira.yaml', meaning: 'as a file says; SIRA_… and options stand above it' },
    { line: 'sira start --data /var/lib/sira --grpc 127.0.0.1:7420', meaning: 'with another data folder' },
  ],
  run: (call, context) => start(call, context, pluginsOf),
});

async function start(call: CommandCall, context: CommandContext, pluginsOf: PluginsOf): Promise<number> {
  const { createLogger } = await import('./logger.ts');
  const { runKernel } = await import('./run-kernel.ts');
  const { config } = call.options;
  let fields = withEnvironment(typeof config === 'string' ? fieldsOf(config, context) : {}, process.env);
  for (const [option, path] of Object.entries(optionFields)) {
    const value = call.options[option];
    if (typeof value === 'string') fields = withField(fields, path.split('.'), value) as StartFields;
  }
  if (call.options.recordTopics === true) fields = { ...fields, topics: { record: true } };
  if (call.options.recommendations === true) fields = { ...fields, recommendations: fields.recommendations ?? {} };
  const settings = startSettings(fields);
  const plugins = await pluginsOf(settings);
  const running = await runKernel(settings, context.version, createLogger(settings.logLevel), plugins);
  const colours = createColors(context.terminal.colour);
  const line = (what: string, value: string): string => `  ${colours.dim(what.padEnd(10))} ${value}\n`;
  context.terminal.write(
    [
      `${colours.bold(`sira ${context.version}`)}  the kernel is running\n`,
      line('gRPC', running.grpc.address),
      line('HTTP', `${running.http.url}  console, API, metrics`),
      line('data', resolve(settings.dataFolder)),
      line('durability', settings.durability),
      ...(settings.telemetry === undefined ? [] : [line('telemetry', settings.telemetry.store)]),
      line('security', securityText(settings.security)),
    ].join(''),
  );
  const ended = await Promise.race([stopSignal(), running.failed]);
  await running.stop();
  if (typeof ended === 'string') return 0;
  throw new SiraError(ended.code, ended.reason, ended.file === undefined ? {} : { file: ended.file });
}

function securityText({ folder, clear }: StartSettings['security']): string {
  if (folder !== '') return `certificates and tokens of ${resolve(folder)}`;
  return clear === 'loopback' ? 'none: this machine alone' : 'NONE: whoever reaches it may do everything';
}

/** Throws the last problem when it has told the others. */
function fieldsOf(file: string, context: CommandContext): StartFields {
  const { fields, problems } = readStart(file);
  if (fields !== undefined) return fields;
  for (const problem of problems.slice(0, -1)) context.printError(problem);
  throw problems[problems.length - 1];
}

/** Replaces whatever would end the process at once: a kernel stops in order. A second signal does not wait. */
function stopSignal(): Promise<string> {
  return new Promise((resolveSignal) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      process.removeAllListeners(signal);
      let count = 0;
      process.on(signal, () => {
        if (++count > 1) process.exit(130);
        resolveSignal(signal);
      });
    }
  });
}
