import { onGrid } from '../../clock/wheel.ts';
import { createRandomStream, type RandomStream } from '../../stats/random-stream.ts';
import type { UtterancePlan } from './learner-plan.ts';
import type { Stay } from './load-profile.ts';
import { draw, type Range } from './load-profile.ts';
import { gatedWithin } from './vad-gating.ts';

/** A clip as the planner needs it. */
export type PlanClip = {
  durationMs: number;
  sampleRateHz: number;
  language: string;
  /** Frames that voice activity detection holds back; undefined: everything is sent. */
  gated?: readonly (readonly [number, number])[];
};

/** How learners read. */
export type Behaviour = {
  frameMs: number;
  /**
   * Silence between two utterances. `speaking`: so long that speech is this share of the time, 0 to
   * 1.
   */
  pause: Range | { speaking: number };
  /** Share of utterances that the learner breaks off; default none. */
  bargeIn?: number;
};

/** From opening the connection to the first word: a person who taps and then begins to read. */
export const leadMs = 300;

/**
 * What one learner reads during a stay: clips of one sample rate and language out of `choices`
 * (indexes into `clips`), every one once in an order of the learner's own before any comes again.
 * Times lie on the wheel's grid. Keyed by the seed and the learner's number; pauses and
 * interruptions are drawn apart from the order.
 */
export function planUtterances(
  clips: readonly PlanClip[],
  choices: readonly number[],
  stay: Stay,
  behaviour: Behaviour,
  key: { seed: number; learner: number },
): UtterancePlan[] {
  const order = createRandomStream(key.seed, key.learner);
  const behaviourRandom = createRandomStream(key.seed, behaviourStream + key.learner);
  const mine = alike(clips, choices, order);
  const utterances: UtterancePlan[] = [];
  let deck: number[] = [];
  let beginMs = onGrid(stay.arrivalMs + leadMs + phaseMs(key.learner, behaviour.frameMs));
  while (beginMs + behaviour.frameMs <= stay.leaveMs) {
    if (deck.length === 0) deck = shuffled(mine, order);
    const clip = deck.pop();
    if (clip === undefined) break;
    const { utterance, afterMs } = planOne(clips[clip]!, behaviour, stay.leaveMs - beginMs, behaviourRandom);
    utterances.push({ clip, beginMs, ...utterance });
    beginMs = onGrid(beginMs + utterance.frames * behaviour.frameMs + afterMs);
  }
  return utterances;
}

/**
 * Where in a frame the learner's sound begins, ms. Devices do not agree on it, also when a class
 * connects at one moment; frames of 700 learners that are all due at once would be late by the time
 * that it takes to send them. Multiples of the golden ratio lie evenly however many there are.
 */
function phaseMs(learner: number, frameMs: number): number {
  return Math.floor(((learner * goldenRatio) % 1) * frameMs);
}

const goldenRatio = (Math.sqrt(5) - 1) / 2;

/**
 * How much of a clip is spoken when `roomMs` are left, and the silence after it. Draws as often
 * whatever comes out.
 */
function planOne(
  { durationMs, gated }: PlanClip,
  { frameMs, pause, bargeIn = 0 }: Behaviour,
  roomMs: number,
  behaviourRandom: RandomStream,
) {
  const interrupted = behaviourRandom() < bargeIn;
  const breakShare = breakFrom + (breakTo - breakFrom) * behaviourRandom();
  const pausePoint = behaviourRandom();
  const whole = Math.ceil(durationMs / frameMs);
  const meant = interrupted ? Math.max(1, Math.round(whole * breakShare)) : whole;
  const frames = Math.min(meant, Math.floor(roomMs / frameMs));
  const held = gated ? gatedWithin(gated, frames) : [];
  const spokenMs = frames * frameMs;
  const pauseMs = 'speaking' in pause ? (spokenMs * (1 - pause.speaking)) / pause.speaking : draw(pause, pausePoint);
  const utterance = {
    frames,
    ...(held.length > 0 ? { gated: held } : {}),
    ...(interrupted && frames === meant ? { bargeIn: true as const } : {}),
  };
  return { utterance, afterMs: interrupted ? 0 : pauseMs };
}

/** Choices with the sample rate and language of a drawn one: a session cannot change either. */
function alike(clips: readonly PlanClip[], choices: readonly number[], random: RandomStream): number[] {
  const first = clips[choices[Math.floor(random() * choices.length)]!];
  return choices.filter(
    (index) => clips[index]!.sampleRateHz === first?.sampleRateHz && clips[index]!.language === first.language,
  );
}

/** Fisher-Yates. */
function shuffled(items: readonly number[], random: RandomStream): number[] {
  const result = [...items];
  for (let i = result.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [result[i], result[j]] = [result[j]!, result[i]!];
  }
  return result;
}

const behaviourStream = 0x1000_0000;
/** Where in an utterance a learner breaks off. */
const breakFrom = 0.3;
const breakTo = 0.9;
