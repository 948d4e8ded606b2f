import { z } from 'zod';
import { duration, percent, section, shown, text } from '../config/fields.ts';
import { range, type Weight, weight, weightProblems, yesOrNo } from './fields.ts';

const reading = section({
  manifest: text('the path of a clip manifest'),
  /** Only these clips of it. */
  only: z
    .array(text('the id of a clip'), { error: () => 'is not a list of clip ids' })
    .min(1, { error: () => 'is empty; leave it out to read every clip' })
    .optional(),
  /** Of clips that name none. */
  language: language().optional(),
  weight: weight().optional(),
});

const gating = section({
  /** Silence that the app still sends after speech. */
  hangover: duration(0, 5000).prefault('300ms'),
  /** Sound from before speech that the app sends as well. */
  lead: duration(0, 5000).prefault('200ms'),
});

/** Who speaks, what and how. */
export const learners = section({
  /** JSON Lines of {id, audio, text, language}; audio relative to the file, the file relative to the scenario. */
  clips: z.union(
    [
      text('the path of a clip manifest').transform((manifest): z.output<typeof reading>[] => [{ manifest }]),
      z.array(reading).min(1, { error: () => 'is an empty mix: learners would have nothing to read' }),
    ],
    {
      error: (issue) =>
        `${shown(issue.input)} is not the path of a clip manifest, nor a list such as [{manifest: a.jsonl, weight: 60%}, {manifest: b.jsonl, weight: 40%}]`,
    },
  ),
  /** Of clips that name none. */
  language: language().prefault('en-US'),
  frame: duration(10, 100).prefault('20ms'),
  emitInterval: duration(20, 1000).prefault('100ms'),
  /** Silence of the app between two utterances of one learner: nothing is sent. */
  pause: range(0, 600_000).optional(),
  /** Share of the time in which a learner speaks; says how long pauses are. */
  dutyCycle: percent(0.01, 1).optional(),
  /** The app holds silent frames back. */
  vadGating: z
    .union([yesOrNo().transform((on) => (on ? gating.parse({}) : undefined)), gating], {
      error: (issue) => `${shown(issue.input)} is not true, false or {hangover: 300ms, lead: 200ms}`,
    })
    .optional(),
  /** Share of utterances that the learner breaks off to begin the next one. */
  bargeIn: percent().prefault('0%'),
}).superRefine(
  (given, context) => {
    const problem = (path: PropertyKey[], message: string) => context.addIssue({ code: 'custom', path, message });
    if (given.pause !== undefined && given.dutyCycle !== undefined)
      problem(['dutyCycle'], 'contradicts pause: both say how long a learner is silent; keep one');
    const readings: readonly { weight?: Weight | undefined }[] = Array.isArray(given.clips)
      ? given.clips.filter(isMapping)
      : [];
    const weights = readings.map(({ weight }) => weight);
    if (readings.length > 1)
      for (const [place, one] of weights.entries())
        if (one === undefined) problem(['clips', place], 'has no weight; write one such as 60%');
    for (const [place, message] of weightProblems(weights))
      problem(place < 0 ? ['clips'] : ['clips', place, 'weight'], message);
  },
  { when: () => true },
);

function isMapping(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

function language() {
  return text('a language such as en-US').regex(/^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$/, {
    error: (issue) => `${shown(issue.input)} is not a language tag such as en-US`,
  });
}
