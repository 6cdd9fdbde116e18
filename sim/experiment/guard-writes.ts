// Writing results may fail for reasons outside: no permission, a file where a folder should be, a full disk. Those are told
// in words, with what to do; everything else stays the defect that it is.

import { SiraError } from '../../core/base/errors.ts';

/** Does `write`, which writes at or below `path`. Throws SIRA_DISK_FULL, SIRA_DISK_FAILED, or SIRA_FILE_MISSING where a path
 *  or its permissions are wrong. */
export function guardWrites<Result>(path: string, write: () => Result): Result {
  try {
    return write();
  } catch (error) {
    const { code, message, path: place } = error as NodeJS.ErrnoException;
    if (code === undefined || error instanceof SiraError) throw error;
    const file = { file: place ?? path };
    if (code === 'ENOSPC' || code === 'EDQUOT') throw new SiraError('SIRA_DISK_FULL', `cannot write: ${message}`, file);
    if (code === 'EIO') throw new SiraError('SIRA_DISK_FAILED', `cannot write: ${message}`, file);
    if (!permanent.includes(code)) throw error;
    throw new SiraError(
      'SIRA_FILE_MISSING',
      `cannot write: ${message}`,
      file,
      'Give a folder that can be written with --output.',
    );
  }
}

/** What a person mends by naming another path. */
const permanent = ['EACCES', 'EPERM', 'EROFS', 'ENOENT', 'ENOTDIR', 'EISDIR', 'EEXIST', 'ENAMETOOLONG'];
