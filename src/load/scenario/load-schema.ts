import { z } from 'zod';
import { despiteProblems, duration, integer, isMapping, oneOf, section, shown, text } from '../../config/fields.ts';
import { learnersLevel, range, rateLevel } from './fields.ts';

const phase = section({
  name: text('a name')
    .regex(/^[a-z0-9][a-z0-9-]*$/, {
      error: (issue) => `${shown(issue.input)} is not lower-case letters, digits and hyphens`,
    })
    .optional(),
  duration: duration(1, 86_400_000),
  learners: learnersLevel().optional().describe('Learners at once, as 40, or 3x for three times the phase before.'),
  rate: rateLevel().optional().describe('Arrivals, as 2/s, 30/min or 3x.'),
  ramp: duration(0, 86_400_000)
    .prefault('0s')
    .describe('How long it takes to get there from the phase before; the rest of the phase holds it.'),
});

/** How many learners there are when. Open loop, whatever the server does. */
export const load = section({
  learners: integer(1, 100_000).optional().describe('Learners at once.'),
  rate: rateLevel().optional().describe('Arrivals, as 2/s or 30/min; with session.'),
  ramp: duration(0, 3_600_000).optional().describe('How long it takes to get there, evenly.'),
  phases: z
    .array(phase, {
      error: () => 'is not a list such as [{duration: 1m, learners: 50}, {duration: 30s, learners: 3x}]',
    })
    .min(1, { error: () => 'is empty; write a phase, or learners: 20 without phases' })
    .optional()
    .describe('Parts that follow one another, instead of learners, rate and ramp.'),
  session: range(2000, 86_400_000).optional().describe('How long one learner stays before another takes the place.'),
  arrivals: oneOf(['even', 'poisson']).optional().describe('How the arrivals of a rate are spread: even, or poisson.'),
}).superRefine(checkLoad, despiteProblems);

/** Keys of `spec.load` that once had other names. */
export const renamedLoadKeys = [{ path: ['spec', 'load', 'stages'], now: 'phases' }] as const;

export type LoadSpec = z.output<typeof load>;
export type PhaseSpec = z.output<typeof phase>;

/** Anything may be missing or of another type: its own problem is told apart. */
type Loose<T> = { [K in keyof T]?: T[K] | null };

/** What contradicts itself in a load, each at its place. */
function checkLoad(given: Loose<LoadSpec>, context: z.RefinementCtx): void {
  const problem = (path: PropertyKey[], message: string) => context.addIssue({ code: 'custom', path, message });
  const phases: readonly Loose<PhaseSpec>[] = Array.isArray(given.phases) ? given.phases.filter(isPhase) : [];
  const simple = (['learners', 'rate', 'ramp'] as const).filter((key) => given[key] !== undefined);
  if (given.phases !== undefined) {
    for (const key of simple)
      problem([key], 'contradicts phases, which say by themselves how many come when; keep one');
  } else if (given.learners === undefined && given.rate === undefined) {
    problem([], 'says neither learners, rate nor phases: nobody would come');
  } else if (given.learners !== undefined && given.rate !== undefined) {
    problem(['rate'], 'contradicts learners: one is arrivals a second, the other learners at once; keep one');
  }
  if (given.phases === undefined && isLevel(given.rate) && 'times' in given.rate)
    problem(['rate'], 'is a multiple, but there is no phase before');
  if (isLevel(given.rate) && 'value' in given.rate && given.rate.value === 0)
    problem(['rate'], 'is 0: nobody would come');
  checkPhases(phases, problem);
  const rated = given.rate !== undefined || phases.some((one) => one.rate !== undefined);
  if (rated && given.session === undefined)
    problem([], 'has a rate of arrivals but no session: say how long a learner stays, for example session: 60s..120s');
  if (!rated && given.arrivals !== undefined)
    problem(['arrivals'], 'goes with a rate; a number of learners at once is kept exactly');
}

type Report = (path: PropertyKey[], message: string) => void;

function checkPhases(phases: readonly Loose<PhaseSpec>[], problem: Report): void {
  const first = phases.find((one) => one.learners !== undefined || one.rate !== undefined);
  const unit = first?.rate === undefined ? 'learners' : 'rate';
  const names = new Map<string, number>();
  let level: number | undefined;
  for (const [index, one] of phases.entries()) {
    const at = (...path: PropertyKey[]) => ['phases', index, ...path];
    const other = unit === 'learners' ? 'rate' : 'learners';
    if (one.learners !== undefined && one.rate !== undefined) problem(at(), 'has both learners and rate; keep one');
    else if (one.learners === undefined && one.rate === undefined)
      problem(at(), 'says neither learners nor rate; to go on as before, write 1x');
    else if (one[other] !== undefined)
      problem(at(other), `contradicts the phases before, which say ${unit}; all phases say the same`);
    if (typeof one.ramp === 'number' && typeof one.duration === 'number' && one.ramp > one.duration)
      problem(at('ramp'), 'is longer than its phase');
    if (typeof one.name === 'string') {
      if (names.has(one.name)) problem(at('name'), `"${one.name}" is already phase ${names.get(one.name)! + 1}`);
      names.set(one.name, index);
    }
    const given = one[unit];
    if (isLevel(given) && 'times' in given && (index === 0 || level === 0))
      problem(at(unit), index === 0 ? 'is a multiple, but there is no phase before' : 'is a multiple of 0');
    if (isLevel(given)) level = 'value' in given ? given.value : level === undefined ? undefined : level * given.times;
  }
  if (phases.length > 0 && phases.every((one) => isLevel(one[unit]) && 'value' in one[unit] && one[unit].value === 0))
    problem(['phases'], 'are all at 0: nobody would come');
}

function isPhase(value: unknown): value is Loose<PhaseSpec> {
  return isMapping(value);
}

function isLevel(value: unknown): value is { value: number } | { times: number } {
  return typeof value === 'object' && value !== null && ('value' in value || 'times' in value);
}
