import type { CapStore } from '../../stores/cap-store.ts';
import type { CallerAccounts } from '../admission/accounts.ts';
import { refusedBy } from '../admission/accounts.ts';
import { type StartDecision, type TakePlace, takePlace } from '../admission/admit.ts';
import type { HttpRefusal } from '../admission/http-refusal.ts';
import type { Membership } from '../admission/membership.ts';
import type { Refusal } from '../refusal.ts';
import type { ServerContext } from '../session/context.ts';
import type { Session } from '../session/session.ts';
import { createQuota } from '../tenants/create-quota.ts';
import type { GrantedStart, Quota } from '../tenants/quota.ts';
import type { TenantRegistry } from '../tenants/tenant-registry.ts';
import { type TenantNumbers, TenantUsage } from '../tenants/tenant-usage.ts';
import type { Used } from './outside/supervision.ts';
import type { Registry } from './registry.ts';

export type TenancyOptions = {
  tenants: TenantRegistry;
  registry: Pick<Registry, 'has'>;
  context: Pick<ServerContext, 'limits' | 'log' | 'metrics'>;
  /** Where caps are counted for several servers; undefined: this one counts alone. */
  caps: CapStore | undefined;
  /** Whether a supervisor counts what tenants have, for all gateways. */
  isSupervised: boolean;
};

/** Holds tenants to their caps at one gateway, and counts what they have. */
export class Tenancy {
  readonly #options: TenancyOptions;
  readonly #usage: TenantUsage;
  readonly #quota: Quota | undefined;
  #used: Used[] = [];

  constructor(options: TenancyOptions) {
    const { caps, context, isSupervised, registry } = options;
    this.#options = options;
    this.#quota = isSupervised
      ? undefined
      : createQuota({
          store: caps,
          log: context.log,
          busyRetryMs: context.limits.busyRetryMs,
          onTrouble: (why) => context.metrics.storeFailure(why),
        });
    this.#usage = new TenantUsage({
      isOpen: ({ id }) => registry.has(id),
      onHeard: (member, ms) => {
        if (this.#quota) this.#quota.heard(member, ms);
        else this.#used.push({ member, ms });
      },
    });
  }

  /** Why no session of this caller can start now, as far as that is known without counting. */
  spent(member: Membership | undefined): Refusal | undefined {
    return member && this.#quota?.spent(member);
  }

  /**
   * Asks for a session of this caller. Its place is taken as soon as it is granted, so that many
   * starts at once are no more than one after the other.
   *
   * @param isReturn whether another gateway had the session
   */
  place(
    member: Membership,
    accounts: CallerAccounts,
    { enter, isReturn }: { enter: () => Refusal | TakePlace; isReturn: boolean },
  ): Promise<Refusal | StartDecision> | Refusal | TakePlace {
    if (isReturn) return this.#readmit(member, enter);
    const cap = refusedBy(accounts, ({ sessionCap }) => sessionCap);
    if (cap) return this.#noted(member, cap);
    const quota = this.#quota;
    if (!quota) return this.#noted(member, enter());
    return quota.start(member).then((granted) => {
      const entered = this.#noted(member, 'code' in granted ? granted : enter());
      if ('code' in granted) return granted;
      if ('code' in entered) {
        granted.release();
        return entered;
      }
      const free = withPlace(granted, entered)();
      return { take: takePlace(() => free, entered), decline: free };
    });
  }

  #readmit(member: Membership, enter: () => Refusal | TakePlace): Refusal | TakePlace {
    const entered = enter();
    const quota = this.#quota;
    if (!quota || 'code' in entered) return entered;
    return takePlace(() => withPlace(quota.returned(member), entered)(), entered);
  }

  began(session: Session, member: Membership): void {
    this.#usage.began(session, member);
  }

  /** A request of this caller for a WebSocket was refused. */
  refused(member: Membership, { code }: Pick<HttpRefusal, 'code'>): void {
    this.#usage.refused(member, code);
  }

  /** To be called about once a second. */
  look(): void {
    this.#usage.look();
    this.#quota?.look();
  }

  /** What every tenant has, by name, those of the file first. */
  numbers(): Map<string, TenantNumbers> {
    return this.#usage.numbers(this.#options.tenants.tenants.map(({ name }) => name));
  }

  /** The sound that was heard today of a tenant or a user, ms; 0 where a supervisor counts it. */
  async heardTodayMs(tenant: string, user?: string): Promise<number> {
    return (await this.#quota?.heardTodayMs(tenant, user)) ?? 0;
  }

  /** What was heard since this was asked before, for a supervisor that counts it. */
  takeUsed(): readonly Used[] {
    return this.#used.splice(0);
  }

  #noted<Answer extends Refusal | TakePlace>(member: Membership, answer: Answer): Answer {
    if ('code' in answer) this.#usage.refused(member, answer.code);
    return answer;
  }
}

/** A place here, and that among all places of its tenant. */
function withPlace(granted: GrantedStart, take: TakePlace): TakePlace {
  const takeBoth = () => {
    const free = take();
    return () => {
      free();
      granted.release();
    };
  };
  return takePlace(takeBoth, take);
}
