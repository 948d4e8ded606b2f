import { SpeechfbError } from '../errors.ts';

export type Address = { host: string; port: number };

/** `host:port` or `[::1]:port`; with a default host also `:port` and `port`. Errors: `bad_flag`. */
export function parseAddress(given: string, defaultHost?: string): Address {
  const match = /^(?:(?:\[([0-9a-fA-F:.]+)\]|([^:/\s[\]]*)):)?(\d{1,5})$/.exec(given.trim());
  const host = match?.[1] || match?.[2] || defaultHost;
  const port = Number(match?.[3]);
  if (match && host !== undefined && port <= 65_535 && (port > 0 || defaultHost !== undefined)) return { host, port };
  const form = defaultHost === undefined ? 'host:port, such as 127.0.0.1:8090' : '[host:]port, such as :9000';
  throw new SpeechfbError('bad_flag', `"${given}" is not an address; allowed: ${form}`);
}
