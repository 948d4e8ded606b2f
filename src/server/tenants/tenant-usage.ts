import type { Membership } from '../admission/membership.ts';

/** A session as far as its tenant pays for it. */
export type MeteredSession = { readonly id: string; readonly audioMs: number };

export type TenantUsageOptions = {
  /** Whether the session is there still. */
  isOpen(session: MeteredSession): boolean;
  /** Sound of so many ms was heard since it was last told. */
  onHeard(member: Membership, ms: number): void;
};

/** What one tenant has had since the server started, and has now. */
export type TenantNumbers = {
  sessions: number;
  audioMs: number;
  /** Refusals by their code. */
  refusals: ReadonlyMap<string, number>;
};

/** Counts what each tenant has. */
export class TenantUsage {
  readonly #options: TenantUsageOptions;
  readonly #sessions = new Map<MeteredSession, { member: Membership; toldMs: number }>();
  readonly #byTenant = new Map<string, { audioMs: number; refusals: Map<string, number> }>();

  constructor(options: TenantUsageOptions) {
    this.#options = options;
  }

  /** A session of this caller has begun; what was heard before, elsewhere, was counted there. */
  began(session: MeteredSession, member: Membership): void {
    this.#sessions.set(session, { member, toldMs: session.audioMs });
  }

  /** Something of this caller was refused. */
  refused({ tenant }: Membership, code: string): void {
    const { refusals } = this.#of(tenant);
    refusals.set(code, (refusals.get(code) ?? 0) + 1);
  }

  memberOf(session: MeteredSession): Membership | undefined {
    return this.#sessions.get(session)?.member;
  }

  /** Counts what was heard since it was called before; to be called about once a second. */
  look(): void {
    for (const [session, metered] of this.#sessions) {
      const heardMs = session.audioMs - metered.toldMs;
      metered.toldMs = session.audioMs;
      if (heardMs > 0) {
        this.#of(metered.member.tenant).audioMs += heardMs;
        this.#options.onHeard(metered.member, heardMs);
      }
      if (!this.#options.isOpen(session)) this.#sessions.delete(session);
    }
  }

  /** The numbers of all tenants: in the order of `names`, and then as others came. */
  numbers(names: readonly string[]): Map<string, TenantNumbers> {
    const counts = new Map<string, number>();
    for (const [session, { member }] of this.#sessions) {
      if (this.#options.isOpen(session)) counts.set(member.tenant, (counts.get(member.tenant) ?? 0) + 1);
    }
    const all = new Set([...names, ...this.#byTenant.keys(), ...counts.keys()]);
    return new Map([...all].map((name) => [name, { ...this.#of(name), sessions: counts.get(name) ?? 0 }]));
  }

  #of(tenant: string): { audioMs: number; refusals: Map<string, number> } {
    const known = this.#byTenant.get(tenant) ?? { audioMs: 0, refusals: new Map<string, number>() };
    this.#byTenant.set(tenant, known);
    return known;
  }
}
