import { createPublicKey, type KeyObject } from 'node:crypto';
import { createLocalJWKSet, errors, type JWK, type JWTVerifyGetKey } from 'jose';
import type { Log } from '../../telemetry/log.ts';

/** The public keys of an issuer. */
export type IssuerKeys = {
  /** The key that a token's header names. Errors: jose's, and `KeysAway`. */
  readonly keyFor: JWTVerifyGetKey;
};

/** The issuer's keys cannot be fetched, and the token names none that is known. */
export class KeysAway extends Error {}

/** Keys that are written down. */
export function fixedKeys(jwks: readonly JWK[]): IssuerKeys {
  return { keyFor: keySet(jwks) };
}

/**
 * The public keys of a text: a JWKS, one JWK, or PEM. A string says what is wrong with it, and
 * quotes nothing of it.
 */
export function readKeys(text: string): JWK[] | string {
  if (/PRIVATE KEY/.test(text)) return 'holds a private key, which belongs to the issuer alone; give its public key';
  if (/^\s*\{/.test(text)) {
    const value = parsed(text);
    const keys = value && 'keys' in value ? value.keys : [value];
    return Array.isArray(keys) ? usableKeys(keys) : 'is no JWKS';
  }
  const blocks = text.match(/-----BEGIN ([A-Z ]+)-----[^-]+-----END \1-----/g) ?? [];
  return blocks.length === 0 ? 'holds neither PEM nor a JWKS' : usableKeys(blocks);
}

/** The keys of a JWKS that can verify: an issuer may publish others beside them. */
function publishedKeys(text: string): JWK[] {
  const keys = parsed(text)?.keys;
  const usable = Array.isArray(keys) ? keys.map(usableKey).filter((key) => typeof key !== 'string') : [];
  if (usable.length === 0) throw new Error('there is no JWKS with a public key');
  return usable;
}

/** JWKs, or PEM blocks, as JWKs of public keys; or what is wrong with the first that is no good. */
export function usableKeys(given: readonly unknown[]): JWK[] | string {
  const keys: JWK[] = [];
  for (const [index, key] of given.entries()) {
    const usable = usableKey(key);
    if (typeof usable === 'string') return given.length === 1 ? usable : `key ${index + 1} ${usable}`;
    keys.push(usable);
  }
  return keys.length === 0 ? 'holds no key' : keys;
}

export type RemoteKeysOptions = {
  url: string;
  log: Log;
  /** Monotonic, ms. */
  now(): number;
  /** The text behind the URL; default: what is fetched there within `patienceMs`. */
  fetchText?: (url: string) => Promise<string>;
};

/**
 * The keys behind a URL. They are fetched again each `freshMs` while somebody asks, beside what
 * goes on, and for a key that is not known, each `cooldownMs` at most. While they cannot be
 * fetched, those that are known go on being good.
 */
export class RemoteKeys implements IssuerKeys {
  readonly #options: RemoteKeysOptions;
  #set: JWTVerifyGetKey | undefined;
  #fetchedMs = Number.NEGATIVE_INFINITY;
  #triedMs = Number.NEGATIVE_INFINITY;
  #fetching: Promise<void> | undefined;
  #isAway = false;

  constructor(options: RemoteKeysOptions) {
    this.#options = options;
  }

  readonly keyFor: JWTVerifyGetKey = async (header, token) => {
    if (this.#set && this.#options.now() - this.#fetchedMs > freshMs) void this.#refresh();
    if (!this.#set) await this.#refresh();
    const known = this.#set;
    if (!known) throw new KeysAway();
    try {
      return await known(header, token);
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey)) throw error;
      await this.#refresh();
      if (this.#set !== known && this.#set) return await this.#set(header, token);
      if (this.#isAway) throw new KeysAway();
      throw error;
    }
  };

  /** Fetches the keys unless that was tried a moment ago; never rejects. */
  #refresh(): Promise<void> {
    if (this.#fetching) return this.#fetching;
    const nowMs = this.#options.now();
    if (nowMs - this.#triedMs < cooldownMs) return Promise.resolve();
    this.#triedMs = nowMs;
    this.#fetching = this.#fetch().finally(() => {
      this.#fetching = undefined;
    });
    return this.#fetching;
  }

  async #fetch(): Promise<void> {
    const { url, log, now, fetchText = fetched } = this.#options;
    try {
      this.#set = keySet(publishedKeys(await fetchText(url)));
      this.#fetchedMs = now();
      if (this.#isAway) log.info({ url }, 'the keys of an issuer can be fetched again');
      this.#isAway = false;
    } catch (error) {
      this.#isAway = true;
      const fields = { url, error: reasonOf(error), known: this.#set !== undefined };
      log.error(fields, 'the keys of an issuer cannot be fetched: those that are known go on being good');
    }
  }
}

/**
 * A key that has no id is tried whatever id a token names: PEM has no place for one.
 */
function keySet(keys: readonly JWK[]): JWTVerifyGetKey {
  const set = createLocalJWKSet({ keys: [...keys] });
  if (keys.some(({ kid }) => kid !== undefined)) return set;
  return ({ kid: _, ...header }, token) => set(header, token);
}

/** A shared secret among the keys would let whoever verifies sign. */
function usableKey(given: unknown): JWK | string {
  if (typeof given === 'object' && given !== null && ('d' in given || 'k' in given)) {
    return 'is private or a shared secret; give the public key of a pair';
  }
  let key: KeyObject;
  try {
    key =
      typeof given === 'string'
        ? createPublicKey(given)
        : createPublicKey({ key: given as JWK as never, format: 'jwk' });
  } catch {
    return 'is no public key that can be read';
  }
  const { modulusLength = leastModulus } = key.asymmetricKeyDetails ?? {};
  if (modulusLength < leastModulus) return `has ${modulusLength} bits; RSA needs at least ${leastModulus}`;
  return typeof given === 'string' ? (key.export({ format: 'jwk' }) as JWK) : (given as JWK);
}

async function fetched(url: string): Promise<string> {
  const signal = AbortSignal.timeout(patienceMs);
  const response = await fetch(url, { signal, redirect: 'error', headers: { accept: 'application/json' } });
  if (!response.ok || !response.body) throw new Error(`HTTP ${response.status}`);
  let text = '';
  for await (const piece of response.body.pipeThrough(new TextDecoderStream())) {
    text += piece;
    if (text.length > mostText) throw new Error(`more than ${mostText} characters`);
  }
  return text;
}

function parsed(text: string): Record<string, unknown> | undefined {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message;
}

const leastModulus = 2048;
const freshMs = 600_000;
const cooldownMs = 30_000;
const patienceMs = 5_000;
const mostText = 1_000_000;
