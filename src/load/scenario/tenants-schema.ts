import { z } from 'zod';
import { amount, integer, section, text } from '../../config/fields.ts';
import { weight, weightProblems } from './fields.ts';

const tenant = section({
  name: text('the name of a tenant').regex(/^[a-z0-9][a-z0-9._-]{0,62}$/, {
    error: () => 'is no name of a tenant: a to z, 0 to 9, ".", "_", "-"; 63 characters at most',
  }),
  weight: weight().describe('Share of the learners who are its own.'),
  maxSessions: integer(1, 1_000_000).optional().describe('Sessions at once.'),
  startsPerSecond: integer(1, 1_000_000).optional(),
  audioMinutesPerDay: amount('minutes', 0.1, 100_000_000).optional(),
});

/** A tenant with the caps that it has at the server. */
export type TenantShare = z.output<typeof tenant>;

/** Tenants of the embedded server, and how its learners are shared out among them. */
export const tenants = z
  .array(tenant, {
    error: () => 'is not a list such as [{name: a, weight: 80%, maxSessions: 4}, {name: b, weight: 20%}]',
  })
  .min(1, { error: () => 'is empty; leave it out, and nobody has a token' })
  .superRefine((list, context) => {
    const problem = (path: PropertyKey[], message: string) => context.addIssue({ code: 'custom', path, message });
    for (const [place, { name }] of list.entries()) {
      const first = list.findIndex((other) => other.name === name);
      if (first < place) problem([place, 'name'], `"${name}" is already entry ${first + 1}`);
    }
    for (const [place, message] of weightProblems(list.map((one) => one.weight)))
      problem(place < 0 ? [] : [place, 'weight'], message);
  });
