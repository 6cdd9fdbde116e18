// Recommendations as a plug-in of the live kernel's HTTP server: the adviser lives and ends with the server.

import type { HttpPlugin } from '../../core/live/http/server.ts';
import type { RecommendationSettings } from '../../core/live/start-settings.ts';
import { Adviser } from './adviser.ts';
import { recommendationRoutes } from './routes.ts';

export function recommendationPlugin(settings: RecommendationSettings): HttpPlugin {
  return (server, sources) => {
    const adviser = new Adviser(sources, settings);
    server.addHook('onClose', () => adviser.close());
    recommendationRoutes(server, adviser);
  };
}
