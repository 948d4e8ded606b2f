import { z } from 'zod';
import {
  despiteProblems,
  duration,
  isMapping,
  oneOf,
  percentField,
  section,
  shown,
  text,
} from '../../config/fields.ts';
import { isNot } from '../../config/sentences.ts';
import { lanes } from '../../protocol/client-messages.ts';
import { range, type Weight, weight, weightProblems, yesOrNo } from './fields.ts';

const clipSource = section({
  manifest: text('the path of a clip manifest'),
  only: z
    .array(text('the id of a clip'), { error: () => 'is not a list of clip ids' })
    .min(1, { error: () => 'is empty; leave it out to read every clip' })
    .optional()
    .describe('Only these clips of it.'),
  language: language().optional().describe('Of clips that name none.'),
  weight: weight().optional().describe('Share of learners who read it: 60%, or a number set against the others.'),
});

const gating = section({
  hangover: duration(0, 5000).prefault('300ms').describe('Silence that the app still sends after speech.'),
  lead: duration(0, 5000).prefault('200ms').describe('Sound from before speech that the app sends as well.'),
});

const aList = 'a list such as [{manifest: a.jsonl, weight: 60%}, {manifest: b.jsonl, weight: 40%}]';

const retry = section({
  for: duration(1000, 3_600_000).prefault('60s').describe('How long a learner who is refused keeps asking.'),
  backoff: duration(100, 600_000).prefault('1s').describe('Wait before the second attempt; it doubles from there.'),
  mostBackoff: duration(100, 600_000).prefault('30s').describe('The longest wait.'),
});

/** The learners: what they read, and how. */
export const learners = section({
  clips: z
    .union(
      [
        text('the path of a clip manifest').transform((manifest): z.output<typeof clipSource>[] => [{ manifest }]),
        z.array(clipSource).min(1, { error: () => 'is an empty mix: learners would have nothing to read' }),
      ],
      {
        error: (issue) =>
          isNot(issue.input, `the path of a clip manifest, nor ${aList}`, `the path of a clip manifest, or ${aList}`),
      },
    )
    .describe(
      'JSON Lines of {id, audio, text, language}; audio relative to the file, the file relative to the scenario.',
    ),
  language: language().prefault('en-US').describe('Of clips that name none.'),
  frame: duration(10, 1000)
    .optional()
    .describe('Length of an audio frame; 20ms, or what a message of the protocol has. 100ms at most for speechfb.'),
  emitInterval: duration(20, 1000).prefault('100ms').describe('How often feedback is asked for.'),
  pause: range(0, 600_000)
    .optional()
    .describe('Silence of the app between two utterances of one learner: nothing is sent.'),
  dutyCycle: percentField(0.01, 1)
    .optional()
    .describe('Share of the time in which a learner speaks; says how long pauses are.'),
  vadGating: z
    .union([yesOrNo().transform((on) => (on ? gating.parse({}) : undefined)), gating], {
      error: (issue) => `${shown(issue.input)} is not true, false or {hangover: 300ms, lead: 200ms}`,
    })
    .optional()
    .describe('The app holds silent frames back.'),
  lane: oneOf(lanes)
    .optional()
    .describe('batch: programs that can wait, for which a busy server has room last; default live.'),
  retry: z
    .union([yesOrNo().transform((on) => (on ? retry.parse({}) : undefined)), retry], {
      error: (issue) => `${shown(issue.input)} is not true, false or {for: 60s, backoff: 1s, mostBackoff: 30s}`,
    })
    .optional()
    .describe('A learner who is refused waits as the server asks, with jitter, and comes again; silent until then.'),
  bargeIn: percentField()
    .prefault('0%')
    .describe('Share of utterances that the learner breaks off to begin the next one.'),
}).superRefine((given, context) => {
  const problem = (path: PropertyKey[], message: string) => context.addIssue({ code: 'custom', path, message });
  if (given.pause !== undefined && given.dutyCycle !== undefined)
    problem(['dutyCycle'], 'contradicts pause: both say how long a learner is silent; keep one');
  const clipSources: readonly { weight?: Weight | undefined }[] = Array.isArray(given.clips)
    ? given.clips.filter(isMapping)
    : [];
  const weights = clipSources.map(({ weight }) => weight);
  if (clipSources.length > 1)
    for (const [place, one] of weights.entries())
      if (one === undefined) problem(['clips', place], 'has no weight; write one such as 60%');
  for (const [place, message] of weightProblems(weights.map((one) => (isMapping(one) ? one : undefined))))
    problem(place < 0 ? ['clips'] : ['clips', place, 'weight'], message);
}, despiteProblems);

function language() {
  return text('a language such as en-US').regex(/^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$/, {
    error: (issue) => `${shown(issue.input)} is not a language tag such as en-US`,
  });
}
