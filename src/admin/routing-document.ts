import { z } from 'zod';
import type { RoutingView } from '../server/hearing/router.ts';

const count = z.int().min(0);
const dollars = z.number().min(0);
/** States of a breaker, the best first. */
const states = ['closed', 'half-open', 'open'] as const;

/** The policy in force and what it does, summed over the gateways of a server. */
export const routingDocument = z.object({
  policy: z.string(),
  gateways: count,
  spend_per_hour: dollars,
  backends: z.array(
    z.object({
      name: z.string(),
      kind: z.string(),
      sessions: count,
      max_sessions: count.nullable(),
      /** Why it takes no session of a learner now, at some gateway; null: it does. */
      hindrance: z.string().nullable(),
      /** Null: it has none, as the own model. */
      breaker: z.object({ state: z.enum(states), why: z.string().nullable() }).nullable(),
      spent_last_hour: dollars.nullable(),
      most_per_hour: dollars.nullable(),
    }),
  ),
  rules: z.array(z.object({ rule: z.string(), sessions: count })),
  fallbacks: z.array(z.object({ backend: z.string(), class: z.string(), count })),
});
export type RoutingDocument = z.infer<typeof routingDocument>;

type BackendView = RoutingView['backends'][number];

/** @param views of each gateway that answers; at least one */
export function routingOf(views: readonly RoutingView[]): RoutingDocument {
  const [first] = views;
  return {
    policy: [...new Set(views.map(({ policy }) => policy))].join(', '),
    gateways: views.length,
    spend_per_hour: total(views.map(({ spend }) => spend)) ?? 0,
    backends: first!.backends.map((one) =>
      backendOf(views.flatMap(({ backends }) => backends.filter(({ name }) => name === one.name))),
    ),
    rules: summed(
      views.flatMap(({ decisions }) => decisions),
      ({ rule }) => rule,
      (one, other) => ({ ...one, sessions: one.sessions + other.sessions }),
    ),
    fallbacks: summed(
      views.flatMap(({ fallbacks }) => fallbacks),
      (fallback) => JSON.stringify([fallback.backend, fallback.class]),
      (one, other) => ({ ...one, count: one.count + other.count }),
    ),
  };
}

function backendOf(views: readonly BackendView[]): RoutingDocument['backends'][number] {
  const { name, kind } = views[0]!;
  const worst = [...views].sort((a, b) => levelOf(b) - levelOf(a))[0]!;
  return {
    ...{ name, kind },
    sessions: total(views.map(({ sessions }) => sessions)) ?? 0,
    max_sessions: total(views.map(({ maxSessions }) => maxSessions)),
    hindrance: views.find(({ hindrance }) => hindrance !== undefined)?.hindrance ?? null,
    breaker: worst.breaker ? { state: worst.breaker.state, why: worst.breaker.why?.message ?? null } : null,
    spent_last_hour: total(views.map(({ spent }) => spent)),
    most_per_hour: total(views.map(({ most }) => most)),
  };
}

function levelOf({ breaker }: BackendView): number {
  return breaker ? states.indexOf(breaker.state) : -1;
}

/** The sum; null where one has none. */
function total(values: readonly (number | undefined)[]): number | null {
  let sum = 0;
  for (const value of values) {
    if (value === undefined) return null;
    sum += value;
  }
  return sum;
}

function summed<One>(all: readonly One[], keyOf: (one: One) => string, add: (one: One, other: One) => One): One[] {
  const sums = new Map<string, One>();
  for (const one of all) {
    const before = sums.get(keyOf(one));
    sums.set(keyOf(one), before ? add(before, one) : one);
  }
  return [...sums.values()];
}
