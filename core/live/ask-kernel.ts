// Asks a kernel that runs over its HTTP interface: for commands. What the kernel refuses comes back as the coded error that it is.

import { type ErrorCode, errorTable, SiraError } from '../base/errors.ts';

export const defaultKernelUrl = 'http://127.0.0.1:7421';
const timeoutMillis = 35_000;

/** The address given, or the environment's, or the default. */
export function kernelUrl(given: unknown): string {
  return String(given ?? process.env.SIRA_URL ?? defaultKernelUrl).replace(/\/$/, '');
}

/** Throws the kernel's problem as the coded error that it is. */
export async function askKernel(url: string, method: string, path: string, body?: object): Promise<unknown> {
  let response: Response;
  const { SIRA_TOKEN: token = '' } = process.env;
  try {
    response = await fetch(`${url}${path}`, {
      method,
      signal: AbortSignal.timeout(timeoutMillis),
      headers: {
        ...(token === '' ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  } catch (error) {
    const cause = (error as { readonly cause?: Error }).cause ?? (error as Error);
    throw new SiraError('SIRA_KERNEL_UNREACHABLE', `${url}: ${cause.message}`);
  }
  const answer = (await response.json().catch(() => undefined)) as { code?: string; detail?: string } | undefined;
  if (response.ok && answer !== undefined) return answer;
  const { code = '', detail = `it answers ${response.status}` } = answer ?? {};
  if (Object.hasOwn(errorTable, code)) throw new SiraError(code as ErrorCode, detail);
  throw new SiraError('SIRA_KERNEL_UNREACHABLE', `${url}: ${detail}`, {}, 'Give the address of a kernel with --url.');
}
