// What a client shows of itself: the certificate that `sira certs client NAME` made, and the authority that it trusts.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ChannelCredentials, credentials } from '@grpc/grpc-js';
import { SiraError } from '../../base/errors.ts';

/** From `folder`: ca.crt, NAME.crt, NAME.key. SIRA_FILE_MISSING if one of them is not there. */
export function clientCredentials(folder: string, name: string): ChannelCredentials {
  const read = (file: string): Buffer => {
    try {
      return readFileSync(join(folder, file));
    } catch (error) {
      throw new SiraError('SIRA_FILE_MISSING', (error as Error).message);
    }
  };
  const file = encodeURIComponent(name).replace('*', '%2A');
  return credentials.createSsl(read('ca.crt'), read(`${file}.key`), read(`${file}.crt`));
}
