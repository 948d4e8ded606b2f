/**
 * How much a server says, loudest first; apart from the logger so that `--help` need not load it.
 */
export const logLevels = ['debug', 'info', 'warn', 'error', 'silent'] as const;
export type LogLevel = (typeof logLevels)[number];
