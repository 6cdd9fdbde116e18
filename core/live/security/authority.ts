// A certificate authority for development: a key and a certificate of its own, and with them the kernel's and its clients'
// certificates. ECDSA P-256, SHA-256. It keeps its key in a file; whoever has real certificates needs none of it: the kernel asks
// only for files with the same names and URIs of the same form.

// The library's container asks for it before anything else.
import 'reflect-metadata';
import { webcrypto, X509Certificate } from 'node:crypto';
import { appendFileSync, chmodSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { join } from 'node:path';
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  X509Certificate as Issued,
  KeyUsageFlags,
  KeyUsagesExtension,
  PemConverter,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509CertificateGenerator,
  X509Crl,
  X509CrlGenerator,
} from '@peculiar/x509';
import { SiraError } from '../../base/errors.ts';
import { identityUri, isIdentityName, isTopicPattern, type Role, topicRoles } from './identity.ts';

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const dayMillis = 86_400_000;
/** Clocks of other machines may be behind. */
const skewMillis = 3_600_000;
const crypto = webcrypto as unknown as NonNullable<Parameters<typeof X509CertificateGenerator.create>[1]>;
type Key = Parameters<typeof crypto.subtle.exportKey>[1];

/** Names of the files in the folder of certificates. */
export const authorityFiles = {
  ...{ certificate: 'ca.crt', key: 'ca.key' },
  ...{ revocations: 'ca.crl', issued: 'issued.jsonl' },
} as const;
export const kernelName = 'kernel';

export interface IssuedFiles {
  readonly certificate: string;
  readonly key: string;
  /** SHA-256 of the certificate. */
  readonly fingerprint: string;
  readonly validUntil: string;
}

/** A line of the list of what was issued. */
interface IssuedRecord {
  /** Name of the files, without their ending. */
  readonly of: string;
  readonly serialNumber: string;
  readonly validUntil: string;
}

export class DevelopmentAuthority {
  readonly folder: string;
  private readonly certificate: Issued;
  private readonly key: Key;

  private constructor(folder: string, certificate: Issued, key: Key) {
    this.folder = folder;
    this.certificate = certificate;
    this.key = key;
  }

  /** The one in `folder`, made if there is none. */
  static async open(folder: string, days = 3650): Promise<DevelopmentAuthority> {
    const certificateFile = join(folder, authorityFiles.certificate);
    const keyFile = join(folder, authorityFiles.key);
    if (existsSync(certificateFile) !== existsSync(keyFile))
      throw new SiraError(
        'SIRA_FILE_MISSING',
        `${folder} holds only one of ${authorityFiles.certificate} and ${authorityFiles.key}`,
        {},
        'Issue certificates where the authority has its key, or begin with another folder.',
      );
    if (!existsSync(keyFile)) {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
      const made = await X509CertificateGenerator.createSelfSigned(
        {
          name: 'CN=Sira development authority',
          ...validity(days),
          signingAlgorithm: algorithm,
          keys,
          extensions: [
            new BasicConstraintsExtension(true, 0, true),
            new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
            await SubjectKeyIdentifierExtension.create(keys.publicKey, false, crypto),
          ],
        },
        crypto,
      );
      writePrivate(keyFile, await pemOfKey(keys.privateKey));
      writeFileSync(certificateFile, `${made.toString('pem')}\n`);
    }
    const bytes = PemConverter.decodeFirst(readFileSync(keyFile, 'utf8'));
    const key = await crypto.subtle.importKey('pkcs8', bytes, algorithm, false, ['sign']);
    return new DevelopmentAuthority(folder, new Issued(readFileSync(certificateFile, 'utf8')), key);
  }

  /** The kernel's own, for the names and addresses by which it is reached. */
  issueServer(hosts: readonly string[], days: number): Promise<IssuedFiles> {
    const names = hosts.map((host) => ({ type: isIP(host) === 0 ? ('dns' as const) : ('ip' as const), value: host }));
    return this.issue(kernelName, names, ExtendedKeyUsage.serverAuth, days);
  }

  /** A client's, with one URI for each role; `topics` bound publishing and subscribing. SIRA_USAGE for a name that none may have. */
  async issueClient(
    name: string,
    given: readonly Role[],
    days: number,
    topics: readonly string[] = [],
  ): Promise<IssuedFiles> {
    if (!isIdentityName(name))
      throw new SiraError('SIRA_USAGE', `"${name}" is no name: letters, digits, . _ : @ / -, and perhaps * at the end`);
    if (name === kernelName || name === 'ca') throw new SiraError('SIRA_USAGE', `the name ${name} is taken`);
    const unfit = topics.find((topic) => !isTopicPattern(topic));
    if (unfit !== undefined)
      throw new SiraError(
        'SIRA_USAGE',
        `"${unfit}" is no topic: letters, digits, . _ : @ / -, and perhaps * at the end`,
      );
    const uris = given.map((role) => ({
      type: 'url' as const,
      value: identityUri(role, name, topicRoles.includes(role) ? topics : []),
    }));
    return this.issue(fileNameOf(name), uris, ExtendedKeyUsage.clientAuth, days);
  }

  /** Takes back all certificates of a client that it has issued and that have not ended: they stand in the revocation list from now
   *  on, until they would have ended. Returns how many; the list lasts for `days`. */
  async revokeClient(name: string, days: number): Promise<number> {
    const now = new Date();
    const file = join(this.folder, authorityFiles.revocations);
    const entries = existsSync(file) ? new X509Crl(readFileSync(file, 'utf8')).entries : [];
    const issued = this.issued().filter(({ validUntil }) => new Date(validUntil) > now);
    const running = new Set(issued.map(({ serialNumber }) => serialNumber));
    const kept = entries
      .filter(({ serialNumber }) => running.has(serialNumber))
      .map(({ serialNumber, revocationDate }) => ({ serialNumber, revocationDate }));
    const known = new Set(kept.map(({ serialNumber }) => serialNumber));
    const added = issued
      .filter(({ of, serialNumber }) => of === fileNameOf(name) && !known.has(serialNumber))
      .map(({ serialNumber }) => ({ serialNumber, revocationDate: now }));
    if (added.length === 0) return 0;
    const { notAfter } = validity(days);
    const list = await X509CrlGenerator.create(
      {
        issuer: this.certificate.subject,
        thisUpdate: now,
        nextUpdate: notAfter < this.certificate.notAfter ? notAfter : this.certificate.notAfter,
        entries: [...kept, ...added],
        signingAlgorithm: algorithm,
        signingKey: this.key,
      },
      crypto,
    );
    // Replaced at once, so that a kernel reads the old or the new.
    writeFileSync(`${file}.new`, `${list.toString('pem')}\n`);
    renameSync(`${file}.new`, file);
    return added.length;
  }

  /** What it has issued, oldest first. */
  private issued(): IssuedRecord[] {
    const file = join(this.folder, authorityFiles.issued);
    if (!existsSync(file)) return [];
    const lines = readFileSync(file, 'utf8').split('\n');
    return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as IssuedRecord);
  }

  private async issue(
    file: string,
    names: ConstructorParameters<typeof SubjectAlternativeNameExtension>[0],
    usage: ExtendedKeyUsage,
    days: number,
  ): Promise<IssuedFiles> {
    const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
    const { notBefore, notAfter } = validity(days);
    const made = await X509CertificateGenerator.create(
      {
        subject: `CN=${file.slice(0, 60).replace(/[^A-Za-z0-9._-]/g, '-')}`,
        issuer: this.certificate.subject,
        notBefore,
        notAfter: notAfter < this.certificate.notAfter ? notAfter : this.certificate.notAfter,
        signingAlgorithm: algorithm,
        publicKey: keys.publicKey,
        signingKey: this.key,
        extensions: [
          new BasicConstraintsExtension(false, undefined, true),
          new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
          new ExtendedKeyUsageExtension([usage]),
          new SubjectAlternativeNameExtension(names),
          await SubjectKeyIdentifierExtension.create(keys.publicKey, false, crypto),
          await AuthorityKeyIdentifierExtension.create(this.certificate, false, crypto),
        ],
      },
      crypto,
    );
    const pem = `${made.toString('pem')}\n`;
    const certificate = join(this.folder, `${file}.crt`);
    const key = join(this.folder, `${file}.key`);
    writePrivate(key, await pemOfKey(keys.privateKey));
    writeFileSync(certificate, pem);
    const { fingerprint256: fingerprint, validTo: validUntil } = new X509Certificate(pem);
    const record: IssuedRecord = { of: file, serialNumber: made.serialNumber, validUntil };
    appendFileSync(join(this.folder, authorityFiles.issued), `${JSON.stringify(record)}\n`, { mode: 0o600 });
    return { certificate, key, fingerprint, validUntil };
  }
}

/** Names may have characters that files should not; two names never share a file. */
export function fileNameOf(name: string): string {
  return encodeURIComponent(name).replace('*', '%2A');
}

function validity(days: number): { notBefore: Date; notAfter: Date } {
  const now = Date.now();
  return { notBefore: new Date(now - skewMillis), notAfter: new Date(now + days * dayMillis) };
}

async function pemOfKey(key: Key): Promise<string> {
  return `${PemConverter.encode(await crypto.subtle.exportKey('pkcs8', key), 'PRIVATE KEY')}\n`;
}

function writePrivate(file: string, text: string): void {
  writeFileSync(file, text, { mode: 0o600 });
  chmodSync(file, 0o600);
}
