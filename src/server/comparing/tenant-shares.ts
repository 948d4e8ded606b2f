import { Spend } from '../../backends/measured/spend.ts';
import type { ShadowSpec } from '../../routing/policy/shadow.ts';

/** What a shadow hears of one session's tenant. */
export type ShadowPart = {
  /** Whether the tenant's sound of the last hour has not cost yet what it may. */
  readonly isOpen: boolean;
  /** Sound of the session went to the shadow; its price an audio minute in dollars. */
  heard(audioMs: number, price: number): void;
  /** The shadow hears the session no more; once. */
  release(): void;
};

/**
 * How much of a shadow each tenant takes, so that the sessions of one do not leave nothing of its
 * cap to the others. Those of nobody count as one tenant.
 */
export class TenantShares {
  readonly #now: () => number;
  readonly #tenants = new Map<string | undefined, Taken>();

  /** @param now monotonic, ms */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** A part of the shadow for one more session; undefined: its tenant has what it may have. */
  take(tenant: string | undefined, limits: NonNullable<ShadowSpec['perTenant']>): ShadowPart | undefined {
    const taken = this.#of(tenant);
    const { maxSessions = Number.POSITIVE_INFINITY, most = Number.POSITIVE_INFINITY } = limits;
    if (taken.sessions >= maxSessions || taken.spend.lastHour >= most) return undefined;
    taken.sessions += 1;
    return {
      get isOpen() {
        return taken.spend.lastHour < most;
      },
      heard: (audioMs, price) => taken.spend.add(audioMs * price),
      release: () => {
        taken.sessions -= 1;
      },
    };
  }

  #of(tenant: string | undefined): Taken {
    const known = this.#tenants.get(tenant);
    if (known) return known;
    if (this.#tenants.size >= mostTenants) this.#forgetIdle();
    // Prices change with the policy while what was spent stays: sound is added at its price.
    const taken = { sessions: 0, spend: new Spend(this.#now, 1) };
    this.#tenants.set(tenant, taken);
    return taken;
  }

  #forgetIdle(): void {
    for (const [tenant, { sessions, spend }] of this.#tenants)
      if (sessions === 0 && spend.lastHour === 0) this.#tenants.delete(tenant);
  }
}

type Taken = { sessions: number; spend: Spend };

/** Beyond so many, those that took nothing in the last hour are forgotten. */
const mostTenants = 1000;
