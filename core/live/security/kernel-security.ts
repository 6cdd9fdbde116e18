// What guards a kernel's doors, composed from its settings: who is known by what, which limits hold, where denials go. In the clear
// everybody is anybody, and only on this machine unless somebody says otherwise; with a folder of certificates nobody is.

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ServerCredentials } from '@grpc/grpc-js';
import { SiraError } from '../../base/errors.ts';
import type { Logger } from '../logger.ts';
import { Denials } from './denials.ts';
import { isLoopbackAddress } from './identity.ts';
import { Callers, type RateLimits } from './rates.ts';
import { Revocations } from './revocations.ts';
import { Tokens } from './tokens.ts';

export interface SecuritySettings {
  /** Certificates and tokens; empty for none. */
  readonly folder: string;
  /** File of the revocation list; empty for ca.crl in the folder. */
  readonly crl: string;
  /** Where it may listen in the clear. */
  readonly clear: 'loopback' | 'everywhere';
  readonly limits: RateLimits;
}

/** In PEM. */
export interface KernelCertificates {
  readonly authority: Buffer;
  readonly certificate: Buffer;
  readonly key: Buffer;
}

const files = {
  ...{ authority: 'ca.crt', certificate: 'kernel.crt', key: 'kernel.key' },
  ...{ tokens: 'tokens.json', revocations: 'ca.crl' },
} as const;

export class KernelSecurity {
  readonly denials: Denials;
  readonly callers: Callers;
  readonly limits: RateLimits;
  /** None in the clear. */
  readonly certificates: KernelCertificates | undefined;
  /** None in the clear. */
  readonly tokens: Tokens | undefined;

  /** None in the clear. */
  readonly revocations: Revocations | undefined;

  /** SIRA_FILE_MISSING if the folder is given and holds not what a kernel needs. */
  private constructor({ folder, crl, limits }: SecuritySettings, logger: Logger) {
    this.limits = limits;
    this.denials = new Denials(logger);
    this.callers = new Callers(limits);
    if (folder === '') return;
    const read = (name: string): Buffer => {
      const file = join(folder, name);
      if (existsSync(file)) return readFileSync(file);
      throw new SiraError(
        'SIRA_FILE_MISSING',
        `${file} is missing`,
        {},
        '`sira certs init --folder FOLDER --host NAME` makes what a kernel needs.',
      );
    };
    this.certificates = {
      authority: read(files.authority),
      certificate: read(files.certificate),
      key: read(files.key),
    };
    this.tokens = new Tokens(join(folder, files.tokens));
    const list = crl === '' ? join(folder, files.revocations) : crl;
    this.revocations = new Revocations(list, this.certificates.authority, logger);
  }

  /** SIRA_FILE_MISSING if the folder is given and holds not what a kernel needs, or the named revocation list is not there;
   *  SIRA_SETTING_INVALID if that is none of the authority's. */
  static async open(settings: SecuritySettings, logger: Logger): Promise<KernelSecurity> {
    const { folder, crl } = settings;
    if (crl !== '' && folder === '')
      throw new SiraError(
        'SIRA_SETTING_INVALID',
        'security.crl revokes certificates, and there are none without security.folder',
      );
    if (crl !== '' && !existsSync(crl)) throw new SiraError('SIRA_FILE_MISSING', `${crl} is missing`, { file: crl });
    const security = new KernelSecurity(settings, logger);
    try {
      await security.revocations?.look();
    } catch (error) {
      security.close();
      throw error;
    }
    return security;
  }

  /** Why a certificate counts no more; undefined while it does. */
  revocationOf(serialNumber: string | undefined): string | undefined {
    const isRevoked = serialNumber !== undefined && this.revocations?.has(serialNumber) === true;
    return isRevoked ? 'the certificate is revoked' : undefined;
  }

  close(): void {
    this.revocations?.close();
  }

  /** Of the gRPC server: with certificates, clients must show one of the same authority. */
  grpcCredentials(): ServerCredentials {
    if (this.certificates === undefined) return ServerCredentials.createInsecure();
    const { authority, certificate, key } = this.certificates;
    return ServerCredentials.createSsl(authority, [{ cert_chain: certificate, private_key: key }], true);
  }
}

/** SIRA_LISTEN_INSECURE if one of the addresses is reached from other machines in the clear, and nobody said that it may. */
export function requireSafeListening({ folder, clear }: SecuritySettings, addresses: readonly string[]): void {
  if (folder !== '' || clear === 'everywhere') return;
  const open = addresses.find((address) => !isLoopbackAddress(address));
  if (open !== undefined)
    throw new SiraError('SIRA_LISTEN_INSECURE', `${open} is reached from other machines, and would be in the clear`);
}
