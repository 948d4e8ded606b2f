import { SpeechfbError } from '../../../errors.ts';

/**
 * Where a flag says that something should listen.
 * @throws SpeechfbError `bad_flag`
 */
export function parseListenAddress(flag: string, text: string): { hostname: string; port: number } {
  const [, host, port] = /^(\[[0-9a-f:.]+\]|[^:/\s[\]]+):(\d{1,5})$/i.exec(text) ?? [];
  if (host === undefined || Number(port) > 65_535) {
    throw new SpeechfbError('bad_flag', `${flag} "${text}" is no address`, { hint: 'allowed: host:port' });
  }
  return { hostname: host.replace(/^\[|\]$/g, ''), port: Number(port) };
}
