// How much is logged, from most to least. Apart from the logger, which takes time to load.

export const logLevels = ['debug', 'info', 'warn', 'error', 'silent'] as const;
export type LogLevel = (typeof logLevels)[number];
