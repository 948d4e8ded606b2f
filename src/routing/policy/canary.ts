import { z } from 'zod';
import { duration, integer, percentField, section, text, throughUnit } from '../../config/fields.ts';
import { isNot } from '../../config/sentences.ts';
import { numberText, percentText } from '../../format.ts';
import { canFire, largestBurn } from '../../slo/service-level/burn.ts';
import { burnModes } from '../../slo/service-level/burn-rule.ts';
import { parseTarget } from '../../slo/service-level/quantities.ts';

const dayMs = 86_400_000;

/** When the canary is withdrawn: the rule of `speechfb canary`, whose arithmetic judges it. */
const rollback = section({
  burn: z
    .number({ error: (issue) => isNot(issue.input, 'a number such as 2') })
    .positive({ error: (issue) => `${issue.input} is not above 0` })
    .default(2),
  for: duration(1000, dayMs).prefault('10m'),
  every: duration(1000, dayMs).prefault('1m'),
  mode: z.enum(burnModes, {
    error: (issue) =>
      `${issue.input === undefined ? 'is missing' : JSON.stringify(issue.input)}: "burn above 2 for 10m" reads two ways; ` +
      'allowed: window (the share over the trailing window), consecutive (every interval by itself, in a row)',
  }),
}).superRefine((value, context) => {
  const refuse = (message: string) => context.addIssue({ code: 'custom', path: ['for'], message });
  if (value.for % value.every !== 0) refuse('is not a whole number of intervals (every)');
  else if (value.for / value.every > mostIntervals) refuse(`has more than ${mostIntervals} intervals (every)`);
});

const mostIntervals = 1440;

/**
 * A backend that takes a share of the sessions of another while both are compared. What is counted
 * are utterances: one is bad when its final comes late or never, or has too many wrong words.
 */
export const canarySpec = section({
  /** A rolled-back canary stays away until its name is another. */
  name: text('a name').regex(/^[a-z0-9][a-z0-9._-]{0,62}$/i, {
    error: (issue) => `${JSON.stringify(issue.input)} is no name; write letters, digits, and . _ - between them`,
  }),
  from: text('the name of a backend'),
  to: text('the name of a backend'),
  /** A part of the sessions that rules give to `from`. */
  share: percentField(0.001, 0.999),
  /** The promise whose budget the canary must not burn. */
  target: text('a percentage such as 99%').transform(throughUnit(parseTarget)).prefault('99%'),
  bad: section({
    /** From the end of the utterance to its final text. */
    finalAfter: duration(1, 600_000).prefault('2s'),
    /** Wrong words over the words of the text that was to be read; left out: not asked. */
    werAbove: percentField(0, 10).optional(),
  }).prefault({}),
  rollback,
  /** Utterances in the window without which nothing is decided. */
  minimum: integer(1, 1_000_000).default(100),
}).superRefine(({ target, rollback: rule }, context) => {
  if (canFire(rule.burn, target)) return;
  const message =
    `can never be exceeded: at a target of ${percentText(target)} the burn is at most ` +
    numberText(largestBurn(target));
  context.addIssue({ code: 'custom', path: ['rollback', 'burn'], message });
});

export type CanarySpec = z.output<typeof canarySpec>;
