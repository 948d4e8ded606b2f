import type { RoutedSession } from './routed-session.ts';

/** Sound that a backend has heard of a session, and what it costs. */
export type Metered = { session: RoutedSession; backend: string; audioMs: number; dollars: number };

/** What counts who has used what; a fallback is heard by two backends, and both are paid. */
export type Meter = {
  heard(metered: Metered): void;
  /** Nothing more is heard of the session here. */
  ended(session: RoutedSession): void;
};

/** What was heard with the same labels, ms and dollars. */
export type MeteredSum = { backend: string; language: string; tenant: string; lane: string; audioMs: number };

/**
 * Sums for metrics. Labels are bounded: the first `mostTenants` tenants and `mostLanguages`
 * languages have names of their own, the rest are `other`; users have none.
 */
export class UsageSums implements Meter {
  readonly #sums = new Map<string, MeteredSum>();
  readonly #tenants = new Set<string>();
  readonly #languages = new Set<string>();

  heard({ session, backend, audioMs }: Metered): void {
    const language = named(this.#languages, session.language.split('-')[0]!.toLowerCase(), mostLanguages);
    const tenant = named(this.#tenants, session.tenant ?? '', mostTenants);
    const { lane } = session;
    const key = JSON.stringify([backend, language, tenant, lane]);
    const sum = this.#sums.get(key) ?? { backend, language, tenant, lane, audioMs: 0 };
    sum.audioMs += audioMs;
    this.#sums.set(key, sum);
  }

  ended(): void {}

  sums(): Iterable<MeteredSum> {
    return this.#sums.values();
  }
}

function named(known: Set<string>, name: string, most: number): string {
  if (known.has(name)) return name;
  if (known.size >= most) return 'other';
  known.add(name);
  return name;
}

const mostTenants = 20;
const mostLanguages = 30;
