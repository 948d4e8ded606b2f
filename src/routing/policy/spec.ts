import { z } from 'zod';
import { despiteProblems, integer, oneOf, percentField, section, shown, text } from '../../config/fields.ts';
import { canarySpec } from './canary.ts';
import { type BackendKind, backendKinds, capabilities } from './capabilities.ts';
import { checkConnection, connectionFields } from './connection.ts';
import {
  boundedName,
  dollarsPerAudioMinute,
  language,
  refuseTwice,
  shareRange,
  someDollarsPerHour,
  spendRange,
  uniqueSome,
} from './fields.ts';
import { shadowSpec } from './shadow.ts';

const kinds = Object.keys(backendKinds) as [BackendKind, ...BackendKind[]];
const lanes = ['live', 'batch'] as const;
const devices = ['low', 'mid', 'high'] as const;

const names = (what: string) => uniqueSome(boundedName('a name'), `is empty; list ${what}, or leave it out`);

const backend = section({
  /** Questions and metrics name it, so that it is one word. */
  name: boundedName('a name').regex(/^[a-z][a-z0-9._-]*$/i, {
    error: (issue) => `${shown(issue.input)} is no name; write letters, digits, and . _ - between them`,
  }),
  kind: oneOf(kinds),
  /** What it understands; left out: every language. */
  languages: uniqueSome(language(), 'is empty; list languages, or leave it out for all').optional(),
  /** Sessions that it takes at once; left out: as many as come. */
  maxSessions: integer(1, 10_000_000).optional(),
  /** An audio minute. */
  price: dollarsPerAudioMinute(),
  /** What it may cost an hour. */
  most: someDollarsPerHour().optional(),
  /** The backend that takes its sessions when it is full, broken or over its cost. */
  fallback: text('the name of a backend').optional(),
  ...connectionFields,
}).superRefine(checkConnection, despiteProblems);

/** Everything that is said must hold. */
const when = section({
  language: uniqueSome(language(), 'is empty; list languages, or leave it out').optional(),
  tenant: names('tenants').optional(),
  device: uniqueSome(oneOf(devices), `is empty; list some of ${devices.join(', ')}`).optional(),
  lane: uniqueSome(oneOf(lanes), `is empty; list some of ${lanes.join(', ')}`).optional(),
  /** Places taken over places there are, on machines of our own. */
  load: shareRange().optional(),
  /** What the managed backends cost an hour. */
  spend: spendRange().optional(),
  /** Whether machines of our own are still starting. */
  cold: z.boolean({ error: () => 'is not true or false' }).optional(),
});

const rule = section({
  name: boundedName('a name'),
  when: when.optional(),
  /** What each backend that its sessions can come to must be able to do. */
  needs: z.array(oneOf(capabilities)).superRefine(refuseTwice).default([]),
  /** What its sessions go without while all places of our own are taken; left out: they wait. */
  spill: oneOf(['without-phones']).optional(),
  to: z.record(z.string(), percentField(), {
    error: () => 'is not a mapping of backends to shares such as {local: 100%}',
  }),
});

export const policySpec = section({
  backends: z.array(backend).min(1, { error: () => 'is empty; name at least one backend' }),
  /** The first that fits a session decides. */
  rules: z.array(rule).min(1, { error: () => 'is empty; write at least a rule without when' }),
  canary: canarySpec.optional(),
  shadow: shadowSpec.optional(),
});

export type PolicySpec = z.output<typeof policySpec>;
export type RoutedBackend = PolicySpec['backends'][number];
export type RoutingRule = PolicySpec['rules'][number];
export type When = NonNullable<RoutingRule['when']>;
