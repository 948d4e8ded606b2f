import { SpeechfbError } from '../../errors.ts';
import { redactUrl } from '../../redact.ts';
import { SecretUrl } from '../../secret-url.ts';

/** Where a server of flags is, and what it is shown. */
export type FlagAddress = {
  /** As it may be told. */
  shown: string;
  baseUrl: string;
  headers(): Record<string, string>;
  /** A text without the secrets of the address. */
  hide(text: string): string;
};

/**
 * Reads `ofrep+https://host/`; `ofrep+http://` for this machine alone, since whoever can change
 * what comes on its way decides where voices go. A token of its own goes as a bearer's, a user
 * with a password in the URL as HTTP has it.
 *
 * @throws SpeechfbError `bad_url`, `unset_variable`
 */
export function parseFlagAddress(given: string, token: string | undefined): FlagAddress {
  const [, rest] = /^ofrep\+(https?:\/\/.*)$/i.exec(given.trim()) ?? [];
  const allowed = 'allowed: ofrep+https://host/, and ofrep+http:// for this machine alone';
  if (rest === undefined) {
    throw new SpeechfbError('bad_url', `--flags "${redactUrl(given)}" is no server of flags; ${allowed}`);
  }
  const url = SecretUrl.parse(rest, 'http');
  if (!url.isSecure && !isThisMachine(url.hostname)) {
    throw new SpeechfbError('bad_url', `--flags "ofrep+${url}" is not encrypted; ${allowed}`);
  }
  if (url.hasQuery || url.hasFragment) {
    throw new SpeechfbError('bad_url', `--flags "ofrep+${url}" has a query or a fragment; ${allowed}`);
  }
  return {
    shown: `ofrep+${url}`,
    baseUrl: url.href,
    headers: () => ({ ...url.authorization, ...(token !== undefined && { authorization: `Bearer ${token}` }) }),
    hide: (text) => url.hide(token === undefined ? text : text.replaceAll(token, '***')),
  };
}

function isThisMachine(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
}
