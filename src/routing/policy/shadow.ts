import type { z } from 'zod';
import { despiteProblems, integer, percentField, section, text } from '../../config/fields.ts';
import { someDollarsPerHour } from './fields.ts';

const perTenant = section({
  /** What the sound of one tenant may cost an hour there. */
  most: someDollarsPerHour().optional(),
  /** Sessions of one tenant that it hears at once. */
  maxSessions: integer(1, 100_000).optional(),
});

/**
 * A second backend that hears a share of the sessions too; nobody sees what it writes, and what it
 * does costs no session anything.
 */
export const shadowSpec = section({
  to: text('the name of a backend'),
  /** A part of all sessions whose language it understands. */
  share: percentField(0.0001, 1),
  /** What it may cost an hour; sessions beyond it are not heard by it. */
  most: someDollarsPerHour(),
  /** Sessions that it hears at once. */
  maxSessions: integer(1, 100_000).default(20),
  /** What each tenant may have of that at most; left out: whoever comes first. */
  perTenant: perTenant.optional(),
}).superRefine(checkPerTenant, despiteProblems);

type Bounds = Record<'most' | 'maxSessions', number>;

function checkPerTenant(
  {
    most,
    maxSessions,
    perTenant: each,
  }: Bounds & { perTenant?: { [name in keyof Bounds]?: number | undefined } | undefined },
  context: z.RefinementCtx,
): void {
  const refuse = (path: string[], message: string): void =>
    context.addIssue({ code: 'custom', path: ['perTenant', ...path], message });
  if (each === undefined || typeof each !== 'object' || each === null) return;
  if (each.most === undefined && each.maxSessions === undefined)
    refuse([], 'bounds nothing; write most, maxSessions or both');
  if (each.most !== undefined && each.most > most) refuse(['most'], 'is more than the whole shadow may cost (most)');
  if (each.maxSessions !== undefined && each.maxSessions > maxSessions)
    refuse(['maxSessions'], `is more than the whole shadow hears at once, ${maxSessions} (maxSessions)`);
}

export type ShadowSpec = z.output<typeof shadowSpec>;
