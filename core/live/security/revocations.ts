// Certificates that were taken back before their end: a certificate revocation list (RFC 5280, section 5) of the authority that the
// kernel trusts, in a file that is read again when it changes. A list counts only with the authority's signature; one that does not
// count changes nothing: what was revoked stays so, and the log says why.

// The library's container asks for it before anything else.
import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { X509Certificate, X509Crl } from '@peculiar/x509';
import { SiraError } from '../../base/errors.ts';
import type { Logger } from '../logger.ts';

const lookMillis = 1000;
const bytesMax = 16 * 1024 ** 2;
const crypto = webcrypto as unknown as NonNullable<Parameters<X509Crl['verify']>[1]>;

export class Revocations {
  /** Told when more certificates are revoked than before. */
  changed: () => void = () => {};
  private readonly file: string;
  private readonly authority: X509Certificate;
  private readonly logger: Logger;
  private readonly timer: NodeJS.Timeout;
  private revoked: ReadonlySet<string> = new Set();
  private stamp = '';

  /** `authority`: PEM of the certificate that signs the list. A file that is not there yet revokes nothing. Call {@link look} first. */
  constructor(file: string, authority: Buffer, logger: Logger) {
    this.file = file;
    this.authority = new X509Certificate(authority.toString('utf8'));
    this.logger = logger;
    this.timer = setInterval(() => {
      this.look().catch((error: Error) =>
        logger.error({ file, reason: error.message }, 'a revocation list is not taken'),
      );
    }, lookMillis);
    this.timer.unref();
  }

  /** `serialNumber`: hexadecimal. */
  has(serialNumber: string): boolean {
    return this.revoked.size > 0 && this.revoked.has(plain(serialNumber));
  }

  get count(): number {
    return this.revoked.size;
  }

  /** Reads the file if it has changed. SIRA_SETTING_INVALID if it is no list of the authority. */
  async look(): Promise<void> {
    const { file } = this;
    const stat = statSync(file, { throwIfNoEntry: false });
    const stamp = stat === undefined ? '' : `${stat.mtimeMs} ${stat.size} ${stat.ino}`;
    if (stat === undefined || stamp === this.stamp) return;
    this.stamp = stamp;
    const invalid = (why: string): SiraError => new SiraError('SIRA_SETTING_INVALID', `${file} ${why}`, { file });
    if (stat.size > bytesMax) throw invalid(`has more than ${bytesMax} bytes`);
    let list: X509Crl;
    let isSigned: boolean;
    try {
      const bytes = readFileSync(file);
      list = new X509Crl(bytes.includes('-----BEGIN') ? bytes.toString('utf8') : new Uint8Array(bytes));
      isSigned = list.issuer === this.authority.subject && (await list.verify({ publicKey: this.authority }, crypto));
    } catch (error) {
      throw invalid(`is no revocation list: ${(error as Error).message}`);
    }
    if (!isSigned) throw invalid('is not signed by the authority');
    this.take(list);
  }

  close(): void {
    clearInterval(this.timer);
  }

  private take(list: X509Crl): void {
    const before = this.revoked;
    this.revoked = new Set(list.entries.map(({ serialNumber }) => plain(serialNumber)));
    // What it says holds all the same; that there is no newer one is for a person to know.
    const isOverdue = list.nextUpdate !== undefined && list.nextUpdate.getTime() < Date.now();
    const facts = { file: this.file, revoked: this.revoked.size, nextUpdate: list.nextUpdate?.toISOString() };
    if (isOverdue) this.logger.warn(facts, 'the revocation list is overdue');
    else this.logger.info(facts, 'a revocation list is taken');
    for (const serialNumber of this.revoked) {
      if (before.has(serialNumber)) continue;
      this.changed();
      return;
    }
  }
}

/** Serial numbers are written with leading zeros and capital letters, or without. */
function plain(serialNumber: string): string {
  return serialNumber.toLowerCase().replace(/^0+/, '');
}
