// Reads a trace's text from disk, gunzipped where its name ends in .gz, and turns an unreadable file into the user's error.
// What the text means is left to the reader of each format.

import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { SiraError } from '../../core/base/errors.ts';

/** The text of `file` (UTF-8, without a byte order mark). Throws `SIRA_FILE_MISSING`, or `SIRA_TRACE_MALFORMED` for broken gzip. */
export function readTraceFile(file: string): string {
  let bytes: Buffer;
  try {
    bytes = readFileSync(file);
  } catch (error) {
    const reason = (error as { code?: string }).code ?? String(error);
    const detail = reason === 'ENOENT' ? 'there is no such file' : `the file cannot be read (${reason})`;
    throw new SiraError('SIRA_FILE_MISSING', detail, { file });
  }
  if (file.endsWith('.gz')) {
    try {
      bytes = gunzipSync(bytes);
    } catch {
      throw new SiraError(
        'SIRA_TRACE_MALFORMED',
        'the file is not valid gzip',
        { file },
        'Compress it again with gzip, or name the plain file.',
      );
    }
  }
  const text = bytes.toString('utf8');
  return text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
}
