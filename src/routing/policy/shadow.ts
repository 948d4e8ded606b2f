import type { z } from 'zod';
import { integer, percentField, section, text } from '../../config/fields.ts';
import { dollarsPerHour } from './fields.ts';

/**
 * A second backend that hears a share of the sessions too; nobody sees what it writes, and what it
 * does costs no session anything.
 */
export const shadowSpec = section({
  to: text('the name of a backend'),
  /** A part of all sessions whose language it understands. */
  share: percentField(0.0001, 1),
  /** What it may cost an hour; sessions beyond it are not heard by it. */
  most: dollarsPerHour(),
  /** Sessions that it hears at once. */
  maxSessions: integer(1, 100_000).default(20),
});

export type ShadowSpec = z.output<typeof shadowSpec>;
