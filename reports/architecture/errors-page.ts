// reports/errors.md: the table of coded errors for people, made from core/base/errors.ts. A test holds the page, the table and
// the codes used in the sources together.

import { errorTable } from '../../core/base/errors.ts';

/** The page as it must stand in reports/errors.md. */
export function errorsPage(): string {
  const rows = Object.entries(errorTable).map(
    ([code, { summary, remedy, exit, http, grpc }]) =>
      `| \`${code}\` | ${summary} | ${remedy} | ${exit} | ${http} | ${grpc} |`,
  );
  return [
    '# Errors',
    '',
    'Every error that Sira reports has one of these codes, which never change. Exit code 2 is the user’s mistake, 1 a failed run.',
    'This page is made from `core/base/errors.ts` by `npm run errors`.',
    '',
    '| code | what went wrong | what to do | exit | HTTP | gRPC |',
    '|---|---|---|---|---|---|',
    ...rows,
    '',
  ].join('\n');
}
