import { decodeJwt, decodeProtectedHeader, errors, type JWTPayload, jwtVerify } from 'jose';
import type { HttpRefusal } from '../admission/http-refusal.ts';
import { type IssuerKeys, KeysAway } from './issuer-keys.ts';
import { Turnstile } from './turnstile.ts';

/** An issuer whose tokens are believed. */
export type Issuer = {
  issuer: string;
  audience: string;
  algorithms: readonly string[];
  keys: IssuerKeys;
  clockToleranceMs: number;
};

export type JwtVerifierOptions = {
  /** Wall clock, ms since 1970: tokens end by it. */
  wallMs(): number;
};

/** Why a token is refused: the code that the caller is told, and the reason that is counted. */
export type TokenRefusal = Pick<HttpRefusal, 'status' | 'reason' | 'code' | 'message' | 'retryAfterMs'>;

/** Believes the JWTs of known issuers. */
export class JwtVerifier {
  readonly #options: JwtVerifierOptions;
  readonly #turnstile = new Turnstile({ atOnce: mostAtOnce, mostWaiting, mostOfOne });
  #issuers = new Map<string, Issuer>();

  constructor(options: JwtVerifierOptions) {
    this.#options = options;
  }

  replace(issuers: readonly Issuer[]): void {
    this.#issuers = new Map(issuers.map((issuer) => [issuer.issuer, issuer]));
  }

  /** The claims of the token and who vouches for them; or why they are not believed. */
  async verify(token: string, address: string | undefined): Promise<Believed | TokenRefusal> {
    const named = this.#issuerOf(token);
    if ('status' in named) return named;
    return (await this.#turnstile.run(address, () => this.#check(token, named))) ?? tokensBusy;
  }

  /** The issuer that a token names; that it is so is still to be proven. */
  #issuerOf(token: string): Issuer | TokenRefusal {
    if (token.length > mostCharacters) {
      return malformed(`the token has ${token.length} characters; at most ${mostCharacters} are read`);
    }
    try {
      const { alg } = decodeProtectedHeader(token);
      const { iss } = decodeJwt(token);
      const issuer = typeof iss === 'string' ? this.#issuers.get(iss) : undefined;
      if (!issuer) return refused('token_issuer', 'wrong_issuer', 'this server believes no such issuer (iss)');
      if (typeof alg === 'string' && issuer.algorithms.includes(alg)) return issuer;
      const allowed = issuer.algorithms.join(', ');
      return refused('token_algorithm', 'wrong_algorithm', `tokens of this issuer are signed with ${allowed} (alg)`);
    } catch {
      return malformed('the token is no JWT of this form: header.payload.signature');
    }
  }

  async #check(token: string, issuer: Issuer): Promise<Believed | TokenRefusal> {
    try {
      const { payload } = await jwtVerify(token, issuer.keys.keyFor, {
        algorithms: [...issuer.algorithms],
        issuer: issuer.issuer,
        audience: issuer.audience,
        clockTolerance: issuer.clockToleranceMs / 1000,
        requiredClaims: ['exp'],
        currentDate: new Date(this.#options.wallMs()),
      });
      return { issuer, claims: payload };
    } catch (error) {
      if (error instanceof errors.JWKSMultipleMatchingKeys) return await this.#checkEach(token, issuer, error);
      return refusalOf(error, issuer);
    }
  }

  /** Several keys fit what the header says: the right one is found by trying. */
  async #checkEach(
    token: string,
    issuer: Issuer,
    candidates: errors.JWKSMultipleMatchingKeys,
  ): Promise<Believed | TokenRefusal> {
    let last: Believed | TokenRefusal = badSignature;
    let tried = 0;
    for await (const key of candidates) {
      last = await this.#check(token, { ...issuer, keys: { keyFor: async () => key } });
      tried += 1;
      if (last !== badSignature || tried === mostTried) return last;
    }
    return last;
  }
}

export type Believed = { issuer: Issuer; claims: JWTPayload };

/** Too many ask for their tokens to be verified at once. */
export const tokensBusy: TokenRefusal = {
  status: 503,
  reason: 'tokens_busy',
  code: 'server_busy',
  message: 'too many tokens are being verified; try again in a moment',
  retryAfterMs: 1000,
};

export const tokenExpired = refused('token_expired', 'token_expired', 'the token has expired: get a new one');

const badSignature = refused('token_signature', 'bad_signature', 'the signature of the token is not right');

export function malformed(message: string): TokenRefusal {
  return refused('token_malformed', 'bad_token', message);
}

function refused(reason: HttpRefusal['reason'], code: string, message: string): TokenRefusal {
  return { status: 401, reason, code, message };
}

/** Sentences are ours alone: what the token holds is quoted in none. */
function refusalOf(error: unknown, { audience }: Issuer): TokenRefusal {
  if (error instanceof KeysAway) {
    const message = 'the key of the token is not known, and its issuer cannot be asked now';
    return { status: 503, reason: 'token_keys_away', code: 'keys_unavailable', message, retryAfterMs: 5000 };
  }
  if (error instanceof errors.JWTExpired) return tokenExpired;
  if (error instanceof errors.JWKSNoMatchingKey) {
    return refused('token_key', 'unknown_key', 'the issuer has no such key (kid), or none for this algorithm');
  }
  if (error instanceof errors.JWSSignatureVerificationFailed) return badSignature;
  if (error instanceof errors.JWTClaimValidationFailed) {
    const { claim } = error;
    if (claim === 'nbf') return refused('token_early', 'token_too_early', 'the token is not good yet (nbf)');
    if (claim === 'aud') {
      const message = `the token is not for this server; it must be for "${audience}" (aud)`;
      return refused('token_audience', 'wrong_audience', message);
    }
    return malformed(claim === 'exp' ? 'the token has no end (exp)' : 'a claim of the token is not what it must be');
  }
  if (error instanceof errors.JOSEError || error instanceof TypeError) return malformed('the token cannot be read');
  throw error;
}

/** What a token may have; the headers of a request are bounded too. */
const mostCharacters = 8192;
const mostAtOnce = 8;
const mostWaiting = 1024;
const mostOfOne = 64;
const mostTried = 8;
