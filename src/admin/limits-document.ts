import { z } from 'zod';
import type { LimitBook, LimitChange } from '../server/limit-book.ts';
import { finite } from './answers.ts';
import { RefusedCall } from './refusal.ts';
import type { AdminTarget } from './target.ts';

const value = z.number().nullable();

/** Every limit in force; a value that is null: there is no such limit. */
export const limitsDocument = z.object({
  limits: z.array(
    z.object({
      name: z.string(),
      value,
      default: value,
      least: z.number(),
      most: z.number(),
      whole: z.boolean(),
      about: z.string(),
      live: z.boolean(),
      set_by: z.object({ actor: z.string(), reason: z.string(), at: z.string() }).nullable(),
    }),
  ),
});
export type LimitsDocument = z.infer<typeof limitsDocument>;

export const limitsAnswer = z.object({
  changes: z.array(z.object({ name: z.string(), from: value, to: value })),
  changed: z.boolean(),
  audit: z.object({ seq: z.int().min(0), hash: z.string() }).nullable(),
});
export type LimitsAnswer = z.infer<typeof limitsAnswer>;

export function limitsOf(target: AdminTarget): LimitsDocument {
  const limits = bookOf(target).list();
  return {
    limits: limits.map(({ name, value: now, standard, range: may, purpose, isLive, setBy }) => {
      const range = { least: may.least, most: may.most, whole: may.whole ?? false };
      const author = setBy && { actor: setBy.actor, reason: setBy.reason, at: new Date(setBy.atMs).toISOString() };
      return {
        ...{ name, value: finite(now), default: finite(standard), ...range, about: purpose },
        live: isLive,
        set_by: author ?? null,
      };
    }),
  };
}

export function changesOf(changes: readonly LimitChange[]): LimitsAnswer['changes'] {
  return changes.map(({ name, from, to }) => ({ name, from: finite(from), to: finite(to) }));
}

/** @throws RefusedCall of a node, which has slots */
export function bookOf({ limits }: AdminTarget): LimitBook {
  if (limits) return limits;
  const message = 'a node has slots and no limits: ask its gateways';
  throw new RefusedCall({ status: 404, code: 'not_found', message });
}
