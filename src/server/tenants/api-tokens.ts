import { randomBytes } from 'node:crypto';
import { createSecret, sha256 } from '../secrets.ts';
import { hashSecret, isHashOf, parseHash, type ScryptHash } from './scrypt-hash.ts';
import { Turnstile } from './turnstile.ts';

/** A token as a tenants' file has it: what it is looked up by, and a slow hash of it. */
export type ApiToken = {
  id: string;
  hash: string;
  /** When it ends, ms since 1970. */
  expiresAtMs: number | undefined;
  tenant: string;
  user: string | undefined;
};

/** A new token, which is told once, and what the file keeps of it. */
export async function newApiToken(): Promise<{ token: string; id: string; hash: string }> {
  const id = randomBytes(6).toString('hex');
  const token = `${tokenPrefix}${id}_${createSecret(32)}`;
  return { token, id, hash: await hashSecret(token) };
}

/** Whether a text is written as an API token is; whose it is says `find`. */
export function isApiToken(text: string): boolean {
  return text.startsWith(tokenPrefix);
}

export const tokenIdPattern = /^[0-9a-f]{12}$/;

/**
 * Knows the holders of API tokens. A token is looked up by its id and verified once; for a while it
 * is then known by its SHA-256, good or not, so that who comes back costs nothing.
 */
export class ApiTokens {
  readonly #now: () => number;
  readonly #verify: typeof isHashOf;
  readonly #turnstile = new Turnstile({ atOnce: mostAtOnce, mostWaiting, mostOfOne });
  readonly #pending = new Map<string, Promise<boolean | undefined>>();
  /** By digest, in the order of their use. */
  readonly #known = new Map<string, Known>();
  #byId = new Map<string, ApiToken & { scrypt: ScryptHash }>();

  /** @param now monotonic, ms. */
  constructor(now: () => number, verify: typeof isHashOf = isHashOf) {
    this.#now = now;
    this.#verify = verify;
  }

  /** These are the tokens from here on; what is known of those that stayed the same is kept. */
  replace(tokens: readonly ApiToken[]): void {
    this.#byId = new Map(tokens.map((token) => [token.id, { ...token, scrypt: parseHash(token.hash)! }]));
  }

  /** The token; `unknown`: it is nobody's; `busy`: too many wait to be verified. */
  find(given: string, address: string | undefined): Found | Promise<Found> {
    const id = pattern.exec(given)?.[1];
    const token = id === undefined ? undefined : this.#byId.get(id);
    if (!token) return 'unknown';
    const digest = sha256(given).toString('base64');
    const known = this.#known.get(digest);
    // A hash that was changed since makes what was known of it worthless.
    if (known && known.hash === token.hash && known.untilMs > this.#now()) {
      this.#remember(digest, known);
      return known.isRight ? token : 'unknown';
    }
    return this.#check(given, { digest, token, address });
  }

  async #check(given: string, asked: Asked): Promise<Found> {
    const { digest, token, address } = asked;
    const key = `${digest} ${token.hash}`;
    const before = this.#pending.get(key);
    const checking = before ?? this.#turnstile.run(address, () => this.#verify(token.scrypt, given));
    if (!before) {
      this.#pending.set(key, checking);
      void checking.then(
        () => this.#pending.delete(key),
        () => this.#pending.delete(key),
      );
    }
    const isRight = await checking;
    if (isRight === undefined) return 'busy';
    this.#remember(digest, { isRight, hash: token.hash, untilMs: this.#now() + knownMs });
    // It may have been taken out of the file while it was verified.
    return isRight && this.#byId.get(token.id)?.hash === token.hash ? token : 'unknown';
  }

  #remember(digest: string, known: Known): void {
    this.#known.delete(digest);
    this.#known.set(digest, known);
    const [oldest] = this.#known.keys();
    if (oldest !== undefined && this.#known.size > mostKnown) this.#known.delete(oldest);
  }
}

type Found = ApiToken | 'unknown' | 'busy';
type Asked = { digest: string; token: ApiToken & { scrypt: ScryptHash }; address: string | undefined };
type Known = { isRight: boolean; hash: string; untilMs: number };

const tokenPrefix = 'sfb_';
const pattern = /^sfb_([0-9a-f]{12})_[\w-]{43}$/;
/** How long a token that was verified is known, and how many are. */
const knownMs = 300_000;
const mostKnown = 10_000;
/** Two of the pool's four threads hash at most: the others read files and resolve names. */
const mostAtOnce = 2;
const mostWaiting = 64;
const mostOfOne = 4;
