// Bearer tokens for HTTP. A token is 256 random bits, shown once when it is made; the file keeps only its SHA-256, which is enough
// for a secret that nobody can guess. The file is read again when it changes, so that a token that is taken back works no more.

import { createHash, randomBytes } from 'node:crypto';
import { chmodSync, existsSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { SiraError } from '../../base/errors.ts';
import { type Identity, isIdentityName, type Role, roles } from './identity.ts';

export interface StoredToken {
  readonly name: string;
  readonly roles: readonly Role[];
  /** SHA-256 of the token, hexadecimal. */
  readonly hash: string;
  /** Time of day, milliseconds. */
  readonly createdMillis: number;
  readonly expiresMillis: number;
}

const prefix = 'sira_';
const lookMillis = 1000;

export function hashToken(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}

/** Throws SIRA_SETTING_INVALID for a file that holds no tokens. */
export function readTokens(file: string): StoredToken[] {
  if (!existsSync(file)) return [];
  let tokens: unknown;
  try {
    tokens = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new SiraError('SIRA_SETTING_INVALID', `${file}: ${(error as Error).message}`, { file });
  }
  if (!Array.isArray(tokens) || !tokens.every(isStored))
    throw new SiraError('SIRA_SETTING_INVALID', `${file} is no list of tokens`, { file });
  return tokens;
}

function isStored(value: unknown): value is StoredToken {
  if (typeof value !== 'object' || value === null) return false;
  const token = value as Partial<StoredToken>;
  return (
    typeof token.name === 'string' &&
    isIdentityName(token.name) &&
    Array.isArray(token.roles) &&
    token.roles.every((role) => roles.includes(role)) &&
    typeof token.hash === 'string' &&
    /^[0-9a-f]{64}$/.test(token.hash) &&
    typeof token.expiresMillis === 'number'
  );
}

/** Replaces the file at once, so that a reader sees the old or the new. */
export function writeTokens(file: string, tokens: readonly StoredToken[]): void {
  const beside = `${file}.${process.pid}.new`;
  writeFileSync(beside, `${JSON.stringify(tokens, undefined, 2)}\n`, { mode: 0o600 });
  chmodSync(beside, 0o600);
  renameSync(beside, file);
}

/** A new token; its text exists only here. */
export function makeToken(
  name: string,
  given: readonly Role[],
  expiresMillis: number,
): { readonly token: string; readonly stored: StoredToken } {
  const token = `${prefix}${randomBytes(32).toString('base64url')}`;
  return { token, stored: { name, roles: given, hash: hashToken(token), createdMillis: Date.now(), expiresMillis } };
}

export class Tokens {
  private readonly file: string;
  private byHash = new Map<string, StoredToken>();
  private lookedMillis = Number.NEGATIVE_INFINITY;
  private stamp = '';

  constructor(file: string) {
    this.file = file;
    this.look();
  }

  /** Who has this token; `undefined` if nobody, or no more. */
  identityOf(token: string): Identity | undefined {
    if (token.length > 200) return undefined;
    if (performance.now() - this.lookedMillis > lookMillis) this.look();
    const stored = this.byHash.get(hashToken(token));
    if (stored === undefined || stored.expiresMillis <= Date.now()) return undefined;
    return { name: stored.name, roles: new Set(stored.roles), from: 'token' };
  }

  private look(): void {
    this.lookedMillis = performance.now();
    const stat = statSync(this.file, { throwIfNoEntry: false });
    const stamp = stat === undefined ? '' : `${stat.mtimeMs} ${stat.size} ${stat.ino}`;
    if (stamp === this.stamp) return;
    this.stamp = stamp;
    try {
      this.byHash = new Map(readTokens(this.file).map((token) => [token.hash, token]));
    } catch {
      // A file that says nothing sound gives nobody anything.
      this.byHash = new Map();
    }
  }
}
