import { z } from 'zod';
import { amount, duration, integer, oneOf, section, text } from '../../config/fields.ts';
import { isNot } from '../../config/sentences.ts';
import { tenantClasses } from '../admission/membership.ts';
import { tokenIdPattern } from './api-tokens.ts';
import { parseHash } from './scrypt-hash.ts';

/**
 * Algorithms with a key that only signs and one that only verifies: a verifier can sign nothing.
 */
const algorithms = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
] as const;

const name = (what: string) =>
  text(what).refine((given) => /^[a-z0-9][a-z0-9._-]{0,62}$/.test(given), {
    error: (issue) => `${isNot(issue.input, what)}: a to z, 0 to 9, ".", "_", "-"; 63 characters at most`,
  });

/** What a caller may be called in a log or in an answer: printable, and not much of it. */
const claim = text('the name of a claim').max(64);

/** A hash may be a token that somebody pasted: problems never quote it. */
const hash = z
  .string({ error: () => 'is no hash; speechfb token new writes one' })
  .refine((given) => parseHash(given), {
    error: () => 'is no hash as "$scrypt$ln=14,r=8,p=1$SALT$DIGEST"; speechfb token new writes one',
  });

/** It is counted over ten seconds where it is no whole number. */
const rate = amount('a number', 0.1, 1_000_000).refine(
  (given) => Math.abs(given * 10 - Math.round(given * 10)) < 1e-6,
  {
    error: (issue) => `${issue.input} is not a multiple of 0.1`,
  },
);

const caps = section({
  /** At once. */
  maxSessions: integer(1, 1_000_000).optional(),
  startsPerSecond: rate.optional(),
  /** From midnight UTC to midnight. */
  audioMinutesPerDay: amount('minutes', 0.1, 100_000_000).optional(),
});

const token = section({
  id: text('an id').refine((given) => tokenIdPattern.test(given), {
    error: () => 'is no id of 12 hexadecimal digits; speechfb token new writes one',
  }),
  hash,
  /** The user among the tenant's own. */
  user: text('a name').max(128).optional(),
  expires: z.iso
    .datetime({ offset: true, error: (issue) => isNot(issue.input, 'a time such as 2027-01-31T00:00:00Z') })
    .transform((time) => Date.parse(time))
    .optional(),
});

const tenant = section({
  name: name('the name of a tenant'),
  class: oneOf(tenantClasses).default('live'),
  weight: amount('a weight', 0.01, 1000).default(1),
  /** Where its learners may be served; absent: anywhere. */
  regions: z.array(name('the name of a region')).min(1).optional(),
  limits: caps.prefault({}),
  perUser: caps.prefault({}),
  tokens: z.array(token).default([]),
});

const issuer = section({
  issuer: text('the issuer, as "iss" of its tokens has it'),
  /** Default: the region of this server. */
  audience: text('an audience').optional(),
  algorithms: z.array(oneOf(algorithms), { error: (issue) => isNot(issue.input, 'a list of algorithms') }).min(1),
  jwksUrl: text('a URL').optional(),
  keys: z
    .array(z.record(z.string(), z.unknown(), { error: () => 'is no JWK' }))
    .min(1)
    .optional(),
  keysFile: text('the path of a PEM or JWKS file').optional(),
  clockTolerance: duration(0, 300_000).prefault('30s'),
  /** The tenant that all of its tokens belong to, or those that a claim chooses among. */
  tenant: name('the name of a tenant').optional(),
  tenants: z.array(name('the name of a tenant')).min(1).optional(),
  claims: section({
    tenant: claim.default('tenant'),
    user: claim.default('sub'),
    lane: claim.default('lane'),
    region: claim.default('region'),
  }).prefault({}),
});

/** The tenants of a server and the issuers of the JWTs that are believed, field by field. */
export const tenantsSpec = section({
  tenants: z.array(tenant, { error: (issue) => isNot(issue.input, 'a list of tenants') }).min(1),
  issuers: z.array(issuer).default([]),
});

export type TenantsSpec = z.output<typeof tenantsSpec>;
export type TenantSpec = TenantsSpec['tenants'][number];
export type IssuerSpec = TenantsSpec['issuers'][number];
