// The console's files: the page, its style and its scripts, all from this package. They are named one by one, read once, and
// nothing else of the disk can be asked for.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import { consolePage } from '../console/page.ts';
import { consoleStyle } from '../console/style.ts';

const contentSecurityPolicy =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

export function consoleRoutes(server: FastifyInstance): void {
  const serve = (path: string, type: string, body: string | (() => string)): void => {
    server.get(path, { schema: { hide: true } }, (_request, reply) =>
      reply
        .type(`${type}; charset=utf-8`)
        .header('cache-control', 'no-cache')
        .header('content-security-policy', contentSecurityPolicy)
        .header('referrer-policy', 'no-referrer')
        .send(typeof body === 'string' ? body : body()),
    );
  };
  // Higher layers add their routes later.
  serve('/', 'text/html', () => consolePage(server.hasRoute({ method: 'GET', url: '/v1/recommendations' })));
  serve('/console/style.css', 'text/css', consoleStyle);
  const charts = createRequire(import.meta.url).resolve('echarts/dist/echarts.min.js');
  serve('/console/echarts.js', 'text/javascript', readFileSync(charts, 'utf8'));
  const folder = scriptFolder();
  if (folder === undefined) return;
  for (const name of readdirSync(folder).filter((file) => /^[a-z-]+\.js$/.test(file)))
    serve(`/console/${name}`, 'text/javascript', readFileSync(join(folder, name), 'utf8'));
}

/** Scripts are compiled: they lie beside compiled code, or in dist/ for who runs the sources. */
function scriptFolder(): string | undefined {
  const here = join(import.meta.dirname, '..', 'console', 'browser');
  const built = join(import.meta.dirname, '..', '..', '..', 'dist', 'core', 'live', 'console', 'browser');
  return [here, built].find((folder) => existsSync(join(folder, 'main.js')));
}
