import type { Log } from '../../telemetry/log.ts';
import type { HttpRefusal } from '../admission/http-refusal.ts';
import type { Holder, TokenHolders } from '../admission/membership.ts';
import { type ApiToken, ApiTokens, isApiToken } from './api-tokens.ts';
import { fixedKeys, type IssuerKeys, RemoteKeys } from './issuer-keys.ts';
import { type Believed, JwtVerifier, malformed, tokenExpired, tokensBusy } from './jwt-verifier.ts';
import { type IssuerConfig, readTenants, type TenantsConfig } from './read-tenants.ts';
import type { TenantSpec } from './tenants-spec.ts';

export type TenantRegistryOptions = {
  /** The path of the file, by which its problems are named. */
  file: string;
  /** What it holds. */
  text: string;
  /** The region of this server. */
  region: string | undefined;
  log: Log;
  /** Monotonic, ms. */
  now(): number;
  /** ms since 1970. */
  wallMs(): number;
};

/** Knows the tenants of a server, and which of them a token speaks for. */
export class TenantRegistry implements TokenHolders {
  readonly #options: TenantRegistryOptions;
  readonly #tokens: ApiTokens;
  readonly #jwts: JwtVerifier;
  /** By URL: a file that is read again asks no issuer anew. */
  readonly #remote = new Map<string, RemoteKeys>();
  #text: string;
  #tenants: ReadonlyMap<string, TenantSpec> = new Map();
  #issuers: ReadonlyMap<string, IssuerConfig> = new Map();

  /** @throws SpeechfbError `bad_config` */
  constructor(options: TenantRegistryOptions) {
    const { file, text, region, now, wallMs } = options;
    this.#options = options;
    this.#tokens = new ApiTokens(now);
    this.#jwts = new JwtVerifier({ wallMs });
    this.#text = text;
    this.#take(readTenants(file, text, region));
  }

  /** The tenants, in the order of the file. */
  get tenants(): readonly TenantSpec[] {
    return [...this.#tenants.values()];
  }

  /** What the file held when it was last taken up. */
  get text(): string {
    return this.#text;
  }

  /**
   * Takes the text of the file up from here on: sessions that run go on, and whoever asks next is
   * judged by it. Bad text changes nothing.
   *
   * @throws SpeechfbError `bad_config`
   */
  reload(text: string): void {
    const { file, region } = this.#options;
    this.#take(readTenants(file, text, region));
    this.#text = text;
  }

  holderOf(token: string, address: string | undefined): Holder | HttpRefusal | Promise<Holder | HttpRefusal> {
    if (!isApiToken(token)) {
      return this.#issuers.size === 0 && !token.includes('.') ? unknownToken : this.#holderOfJwt(token, address);
    }
    const found = this.#tokens.find(token, address);
    return found instanceof Promise ? found.then((late) => this.#holderOfToken(late)) : this.#holderOfToken(found);
  }

  #holderOfToken(found: ApiToken | 'unknown' | 'busy'): Holder | HttpRefusal {
    if (found === 'busy') return tokensBusy;
    const tenant = found === 'unknown' ? undefined : this.#tenants.get(found.tenant);
    if (found === 'unknown' || !tenant) return unknownToken;
    if (found.expiresAtMs !== undefined && found.expiresAtMs <= this.#options.wallMs()) return tokenExpired;
    return this.#member(tenant, { user: found.user, lane: undefined });
  }

  async #holderOfJwt(token: string, address: string | undefined): Promise<Holder | HttpRefusal> {
    const believed = await this.#jwts.verify(token, address);
    if ('status' in believed) return believed;
    const issuer = this.#issuers.get(believed.issuer.issuer);
    return issuer ? this.#memberOf(believed, issuer) : unknownToken;
  }

  #memberOf({ claims }: Believed, { tenant: fixed, tenants = [], claims: names }: IssuerConfig): Holder | HttpRefusal {
    const name = fixed ?? claims[names.tenant];
    if (typeof name !== 'string') return malformed(`the token names no tenant (${names.tenant})`);
    const tenant = this.#tenants.get(name);
    if (!tenant || (fixed === undefined && !tenants.includes(name))) {
      const message = `its issuer may not speak for the tenant that the token names (${names.tenant})`;
      return { status: 403, reason: 'tenant', code: 'unknown_tenant', message };
    }
    const user = claims[names.user];
    if (typeof user !== 'string' || user === '' || user.length > mostCharacters) {
      return malformed(`the token names no user of 1 to ${mostCharacters} characters (${names.user})`);
    }
    const lane = claims[names.lane];
    if (lane !== undefined && lane !== 'live' && lane !== 'batch') {
      return malformed(`the lane of the token is none of live, batch (${names.lane})`);
    }
    const { region } = this.#options;
    const pinned = claims[names.region];
    if (pinned !== undefined && pinned !== region) return wrongRegion('the token', region);
    return this.#member(tenant, { user, lane });
  }

  #member(tenant: TenantSpec, { user, lane }: { user: string | undefined; lane: string | undefined }) {
    const { region } = this.#options;
    if (tenant.regions && !tenant.regions.includes(region ?? '')) return wrongRegion('the tenant', region);
    const { name, weight, limits, perUser } = tenant;
    return {
      owner: user === undefined ? `tenant:${name}` : `tenant:${name}/${user}`,
      member: {
        tenant: name,
        user,
        class: tenant.class,
        weight,
        isShared: this.#tenants.size > 1,
        caps: limits,
        userCaps: perUser,
        lane: tenant.class === 'batch' || lane === 'batch' ? 'batch' : undefined,
      },
    } satisfies Holder;
  }

  #take({ tenants, issuers }: TenantsConfig): void {
    this.#tenants = new Map(tenants.map((tenant) => [tenant.name, tenant]));
    this.#issuers = new Map(issuers.map((issuer) => [issuer.issuer, issuer]));
    this.#tokens.replace(
      tenants.flatMap(({ name, tokens }) =>
        tokens.map(({ id, hash, user, expires }) => ({ id, hash, user, tenant: name, expiresAtMs: expires })),
      ),
    );
    this.#jwts.replace(
      issuers.map(({ issuer, audience, algorithms, clockTolerance, ...config }) => ({
        issuer,
        audience,
        algorithms,
        keys: this.#keysOf(config),
        clockToleranceMs: clockTolerance,
      })),
    );
  }

  #keysOf({ keys, jwksUrl: url }: Pick<IssuerConfig, 'keys' | 'jwksUrl'>): IssuerKeys {
    if (keys || url === undefined) return fixedKeys(keys ?? []);
    const { log, now } = this.#options;
    const remote = this.#remote.get(url) ?? new RemoteKeys({ url, log, now });
    this.#remote.set(url, remote);
    return remote;
  }
}

const unknownToken: HttpRefusal = {
  status: 401,
  reason: 'token',
  code: 'unauthorized',
  message: 'the token is unknown',
};

function wrongRegion(who: string, region: string | undefined): HttpRefusal {
  const here = region === undefined ? 'this server has no region' : `this server is in ${region}`;
  return { status: 403, reason: 'region', code: 'wrong_region', message: `${who} is bound to another region: ${here}` };
}

/** What a user may be called. */
const mostCharacters = 128;
