// `sira certs`: a certificate authority for development, the certificates that it issues, and tokens for HTTP. It works on files
// alone; the kernel that runs with the folder sees new tokens, and those taken back, within a second.

import { existsSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { createColors } from 'picocolors';
import { SiraError } from '../base/errors.ts';
import type { Command, CommandCall, CommandContext } from '../ports/command.ts';
import { isIdentityName, type Role, roles, topicRoles } from './security/identity.ts';
import { makeToken, readTokens, writeTokens } from './security/tokens.ts';

const actions = ['init', 'client', 'token', 'tokens', 'revoke'] as const;
type Action = (typeof actions)[number];

const defaultFolder = 'sira-certs';
const daysMax = 36_500;
const dayMillis = 86_400_000;
/** Of a revocation list: long, since nobody but a person renews it. */
const listDays = 3650;

export const certsCommand: Command = {
  name: 'certs',
  summary: 'make certificates and tokens for a kernel that others reach',
  description: `init makes an authority for development and the kernel's certificate; client NAME one for an agent, submitter or operator; token NAME a token for HTTP, shown once; tokens lists them; revoke NAME takes a name's tokens and certificates back. The roles are ${roles.join(', ')}. Who has register, submit, publish or subscribe speaks under the name given, under NAME/… and NAME#…, or, if it ends in *, under all that begin so. --topic bounds what it publishes and subscribes to.`,
  arguments: [
    { name: 'action', description: actions.join(', '), required: true, many: false },
    { name: 'name', description: 'of the identity', required: false, many: false },
  ],
  options: [
    { flags: '--folder <folder>', description: `certificates, keys and tokens (default: ${defaultFolder})` },
    {
      flags: '--host <host...>',
      description: 'names and addresses by which the kernel is reached, beside this machine',
    },
    { flags: '--role <role...>', description: 'what the identity may do', choices: roles },
    {
      flags: '--topic <topic...>',
      description: 'of certificates: publish and subscribe to these topics alone, a * at the end for all that begin so',
    },
    { flags: '--days <number>', description: 'how long it is valid (default: 365; of tokens 90)' },
  ],
  examples: [
    { line: 'sira certs init --host kernel.example.org', meaning: 'an authority, and the certificate of a kernel' },
    { line: 'sira certs client rack-1-* --role register', meaning: 'for agents whose names begin with rack-1-' },
    { line: 'sira certs client alice --role submit publish subscribe', meaning: 'for a program of many parts' },
    {
      line: 'sira certs client probe --role publish --topic sensors/*',
      meaning: 'for a program that publishes to topics that begin with sensors/',
    },
    { line: 'sira certs token ops --role administer --days 30', meaning: 'for whoever changes settings over HTTP' },
    { line: 'sira certs revoke ops', meaning: 'its tokens and certificates work no more' },
  ],
  run,
};

async function run(call: CommandCall, { terminal }: CommandContext): Promise<number> {
  const [action = '', name = ''] = call.arguments;
  if (!(actions as readonly string[]).includes(action))
    throw new SiraError('SIRA_USAGE', `sira certs ${action}: the actions are ${actions.join(', ')}`);
  const folder = typeof call.options.folder === 'string' ? call.options.folder : defaultFolder;
  const lines = await perform(action as Action, name, folder, call);
  const colours = createColors(terminal.colour);
  for (const [what, value] of lines) terminal.write(`  ${colours.dim(what.padEnd(12))} ${value}\n`);
  return 0;
}

type Lines = readonly (readonly [string, string])[];

async function perform(action: Action, name: string, folder: string, call: CommandCall): Promise<Lines> {
  if (action === 'tokens') return listed(folder);
  if (action === 'init') {
    const { authorityFiles, DevelopmentAuthority } = await import('./security/authority.ts');
    const known = existsSync(join(folder, authorityFiles.key));
    const authority = await DevelopmentAuthority.open(folder);
    const hosts = [...new Set(['localhost', '127.0.0.1', '::1', hostname(), ...texts(call.options.host)])];
    const { certificate, validUntil } = await authority.issueServer(hosts, daysOf(call, 365));
    return [
      ['authority', `${join(folder, authorityFiles.certificate)}${known ? ' (was there)' : ''}`],
      ['kernel', `${certificate}, until ${validUntil}`],
      ['reached as', hosts.join(', ')],
      ['next', `sira start --security ${folder} --grpc 0.0.0.0:7420`],
    ];
  }
  if (!isIdentityName(name)) throw new SiraError('SIRA_USAGE', `sira certs ${action} takes the name of an identity`);
  const file = join(folder, 'tokens.json');
  if (action === 'revoke') return revoked(name, folder, file);
  const given = texts(call.options.role) as readonly Role[];
  if (given.length === 0) throw new SiraError('SIRA_USAGE', `give --role: ${roles.join(', ')}`);
  if (action === 'token') {
    if (!existsSync(folder))
      throw new SiraError('SIRA_FILE_MISSING', `${folder} is missing`, {}, 'Run `sira certs init`.');
    const expiresMillis = Date.now() + daysOf(call, 90) * dayMillis;
    const { token, stored } = makeToken(name, given, expiresMillis);
    const now = Date.now();
    writeTokens(file, [...readTokens(file).filter((one) => one.expiresMillis > now), stored]);
    return [
      ['token', token],
      ['of', `${name}: ${given.join(', ')}`],
      ['until', new Date(expiresMillis).toISOString()],
      ['use', 'curl -H "Authorization: Bearer …", SIRA_TOKEN, or as a password in the browser; it is shown only now'],
    ];
  }
  const { authorityFiles, DevelopmentAuthority } = await import('./security/authority.ts');
  if (!existsSync(join(folder, authorityFiles.key)))
    throw new SiraError('SIRA_FILE_MISSING', `${folder} holds no authority`, {}, 'Run `sira certs init` first.');
  const authority = await DevelopmentAuthority.open(folder);
  const topics = texts(call.options.topic);
  if (topics.length > 0 && !given.some((role) => topicRoles.includes(role)))
    throw new SiraError('SIRA_USAGE', `--topic bounds ${topicRoles.join(' and ')}, and neither is given`);
  const { certificate, key, validUntil } = await authority.issueClient(name, given, daysOf(call, 365), topics);
  return [
    ['certificate', `${certificate}, until ${validUntil}`],
    ['key', key],
    ['may', given.join(', ')],
    ...(topics.length === 0 ? [] : [['topics', topics.join(', ')] as const]),
  ];
}

async function revoked(name: string, folder: string, file: string): Promise<Lines> {
  const { authorityFiles, DevelopmentAuthority } = await import('./security/authority.ts');
  const tokens = readTokens(file);
  const left = tokens.filter((token) => token.name !== name);
  if (left.length < tokens.length) writeTokens(file, left);
  // Only who has the authority's key can take certificates back.
  const certificates = existsSync(join(folder, authorityFiles.key))
    ? await (await DevelopmentAuthority.open(folder)).revokeClient(name, listDays)
    : 0;
  if (left.length === tokens.length && certificates === 0)
    throw new SiraError('SIRA_NOT_FOUND', `neither a token nor a certificate that runs belongs to ${name}`);
  return [['revoked', `${tokens.length - left.length} tokens and ${certificates} certificates of ${name}`]];
}

function listed(folder: string): Lines {
  const now = Date.now();
  return readTokens(join(folder, 'tokens.json')).map(({ name, roles: given, expiresMillis }) => [
    name,
    `${given.join(', ')}; ${expiresMillis > now ? 'until' : 'expired'} ${new Date(expiresMillis).toISOString()}`,
  ]);
}

function texts(option: CommandCall['options'][string]): readonly string[] {
  if (typeof option === 'string') return [option];
  return Array.isArray(option) ? (option as readonly string[]) : [];
}

function daysOf({ options: { days } }: CommandCall, otherwise: number): number {
  if (days === undefined) return otherwise;
  const number = Number(days);
  if (!Number.isFinite(number) || number <= 0 || number > daysMax)
    throw new SiraError('SIRA_USAGE', `--days is a number up to ${daysMax}, not "${String(days)}"`);
  return number;
}
