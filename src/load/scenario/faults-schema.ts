import { z } from 'zod';
import { despiteProblems, duration, percent, section, text } from '../../config/fields.ts';
import { moment } from './fields.ts';

/** Once `at`, or again and again `every`. */
const when = { at: moment().optional(), every: duration(1000, 604_800_000).optional() };
/** Which of those who are there then. */
const whom = {
  learners: percent().refine((share) => share > 0, { error: () => 'is 0%: it would hit nobody' }),
  network: text('the name of a network').optional().describe('Only those on this network.'),
};
const length = duration(1, 3_600_000);

const fault = section({
  reconnect: section({ ...when, ...whom })
    .optional()
    .describe('Sockets are cut; the apps resume by themselves.'),
  cutNetwork: section({ ...when, ...whom, for: length })
    .optional()
    .describe('Nothing passes, either way, and nobody is told.'),
  stallInference: section({ ...when, for: duration(1, 60_000) })
    .optional()
    .describe("The embedded server's inference worker does nothing."),
  killInference: section(when).optional().describe("The embedded server's inference worker is gone."),
  stopServer: section({ ...when, for: length })
    .optional()
    .describe("The embedded server's process is stopped (SIGSTOP), and goes on."),
}).superRefine((given, context) => {
  const problem = (path: PropertyKey[], message: string) => context.addIssue({ code: 'custom', path, message });
  const [entry, ...rest] = entriesOf(given);
  if (!entry) return problem([], `says no fault; allowed: ${faultNames.join(', ')}`);
  if (rest.length > 0)
    problem([rest[0]![0]], `is a second fault beside ${entry[0]}; write each as an entry of its own`);
  for (const [name, spec] of [entry, ...rest]) {
    if (spec.at === undefined && spec.every === undefined) problem([name], 'says neither at nor every');
    if (spec.at !== undefined && spec.every !== undefined)
      problem([name, 'every'], 'contradicts at: again and again, or once; keep one');
  }
}, despiteProblems);

export const faults = z.array(fault, {
  error: () => 'is not a list such as [{reconnect: {at: 30s, learners: 50%}}, {stallInference: {at: 45s, for: 2s}}]',
});

export type FaultSpec = z.output<typeof fault>;
export type FaultName = keyof FaultSpec;

const faultNames = Object.keys(fault.shape) as FaultName[];

/** Those that only a server which the test itself has started can be made to suffer. */
export const serverFaultNames: readonly FaultName[] = ['stallInference', 'killInference', 'stopServer'];

/** The fault of an entry under its name; more than one is a mistake, which is reported by itself. */
export function entriesOf(given: FaultSpec): [
  FaultName,
  {
    at?: number | undefined;
    every?: number | undefined;
    for?: number;
    learners?: number;
    network?: string | undefined;
  },
][] {
  if (typeof given !== 'object' || given === null) return [];
  return faultNames.flatMap((name) => {
    const spec = given[name];
    return typeof spec === 'object' && spec !== null ? [[name, spec]] : [];
  });
}

/** When a fault happens in a test of this length, ms. */
export function timesOf(
  { at, every }: { at?: number | undefined; every?: number | undefined },
  endMs: number,
): number[] {
  if (every === undefined) return at === undefined ? [] : [at];
  return Array.from({ length: Math.max(0, Math.ceil(endMs / every) - 1) }, (_, k) => (k + 1) * every);
}
