import { z } from 'zod';
import { text } from '../../config/fields.ts';
import { isNot } from '../../config/sentences.ts';

/** So long that the longest name made of it, with `-inference-canary` and the like, is a label. */
const mostLetters = 42;

/** A label of Kubernetes that others are made of. */
export const nameLabel = (what: string, example: string) =>
  text(what).regex(/^[a-z0-9]([a-z0-9-]{0,40}[a-z0-9])?$/, {
    error: (issue) => {
      const least = `lower-case letters, digits and hyphens, ${mostLetters} at most`;
      return isNot(issue.input, `${what}: ${least}, such as ${example}`);
    },
  });

/** A range of addresses of either family, as a NetworkPolicy takes it. */
export const addressRange = text('a range of addresses').refine(
  (given) => z.union([z.cidrv4(), z.cidrv6()]).safeParse(given).success,
  {
    error: (issue) => isNot(issue.input, 'a range of addresses such as 10.96.0.1/32 or fd00::1/128'),
  },
);
