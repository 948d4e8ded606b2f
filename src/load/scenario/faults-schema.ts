import { z } from 'zod';
import { despiteProblems, duration, percentField, section, text } from '../../config/fields.ts';
import { type FaultDefinition, type FaultKey, faultTable } from '../fault/index.ts';
import { moment } from './fields.ts';

/** Once `at`, or again and again `every`. */
const when = { at: moment().optional(), every: duration(1000, 604_800_000).optional() };
/** The share of the learners present at that time. */
const learners = percentField().refine((share) => share > 0, { error: () => 'is 0%: it would hit nobody' });
const targetFields = {
  learners,
  network: text('the name of a network').optional().describe('Only those on this network.'),
};

/**
 * One fault as written, times in ms; keys of its own beside these are as its definition reads them.
 */
export type ScheduledFault = {
  at?: number | undefined;
  every?: number | undefined;
  /** Share of the learners who are present, above 0, up to 1. */
  learners?: number | undefined;
  network?: string | undefined;
  [own: string]: unknown;
};

/** An entry of the list: one fault under its key. */
export type FaultSpec = { [key in FaultKey]?: ScheduledFault | undefined };

const shape = Object.fromEntries(faultTable.map((fault) => [fault.key, schemaOf(fault)])) as {
  [key in FaultKey]: ReturnType<typeof schemaOf>;
};

const fault = section(shape).superRefine((given, context) => {
  const problem = (path: PropertyKey[], message: string) => context.addIssue({ code: 'custom', path, message });
  const [entry, ...rest] = entriesOf(given);
  if (!entry) return problem([], `says no fault; allowed: ${Object.keys(shape).join(', ')}`);
  const [{ key: first }] = entry;
  if (rest.length > 0)
    problem([rest[0]![0].key], `is a second fault beside ${first}; write each as an entry of its own`);
  for (const [{ key }, spec] of [entry, ...rest]) {
    if (spec.at === undefined && spec.every === undefined) problem([key], 'says neither at nor every');
    if (spec.at !== undefined && spec.every !== undefined)
      problem([key, 'every'], 'contradicts at: again and again, or once; keep one');
  }
}, despiteProblems);

export const faults = z.array(fault, {
  error: () => 'is not a list such as [{reconnect: {at: 30s, learners: 50%}}, {stallInference: {at: 45s, for: 2s}}]',
});

/**
 * The fault of an entry with its definition; more than one is a mistake, which is reported by
 * itself.
 */
export function entriesOf(given: FaultSpec): [FaultDefinition, ScheduledFault][] {
  if (typeof given !== 'object' || given === null) return [];
  return faultTable.flatMap((fault) => {
    const spec = given[fault.key];
    return typeof spec === 'object' && spec !== null ? [[fault, spec]] : [];
  });
}

/** When a fault happens in a test of this length, ms. */
export function timesOf({ at, every }: ScheduledFault, endMs: number): number[] {
  if (every === undefined) return at === undefined ? [] : [at];
  return Array.from({ length: Math.max(0, Math.ceil(endMs / every) - 1) }, (_, k) => (k + 1) * every);
}

function schemaOf(fault: FaultDefinition): z.ZodOptional<z.ZodType<ScheduledFault>> {
  const all = fault.target === 'learners' && fault.everybody ? { learners: learners.prefault('100%') } : {};
  const targets = fault.target === 'learners' ? { ...targetFields, ...all } : {};
  const schema: z.ZodType = section({ ...when, ...targets, ...fault.fields });
  return (schema as z.ZodType<ScheduledFault>).optional().describe(fault.about);
}
