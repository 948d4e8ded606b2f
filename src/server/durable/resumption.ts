import type { Replay } from '../../protocol/client-messages.ts';
import type { SessionCheckpoint, SoundPlace, UtterancePlace } from '../../stores/checkpoint.ts';
import type { Refusal } from '../refusal.ts';
import { Told } from './told.ts';

/** Where and how a session goes on that another gateway has begun. */
export type AudioResumption = {
  /** The utterance that is open; `isBetween`: it has had its final, and the next has not begun. */
  utteranceId: number;
  isBetween: boolean;
  /** Where the client goes on sending. */
  from: SoundPlace;
  /** When the session's first frame came, on our clock. */
  firstFrameMs: number;
  /** How much sound from there on the client may have by now, ms. */
  replayMs: number;
  /** What it was told of utterances, by their ids. */
  told: ReadonlyMap<number, Told>;
  /** Where it was last told that speech began or ended; undefined: never. */
  speechMs: number | undefined;
};

/** How a session goes on here, and the text that is open. */
export type SoundPlan = { audio: AudioResumption; reference: UtterancePlace['reference'] };

/**
 * Where a session goes on: at the oldest text whose final its client lacks. The client sends the
 * sound from there on again, with its own messages between, so that a checkpoint which is some
 * texts old loses nothing: of a text that it does not know the client says where it began.
 *
 * @param ageMs how long ago the checkpoint was made, by the store's clock
 * @param nowMs ours
 */
export function planOf(
  checkpoint: SessionCheckpoint,
  replay: Replay,
  { ageMs, nowMs }: { ageMs: number; nowMs: number },
): SoundPlan | Refusal {
  const oldest = placeOf(checkpoint, replay);
  if ('code' in oldest) return oldest;
  const { from, utteranceId, isBetween, reference } = oldest;
  const soundAgeMs = (checkpoint.firstFrameAgoMs ?? checkpoint.startedAgoMs) + ageMs;
  return {
    reference,
    audio: {
      utteranceId,
      isBetween,
      from,
      firstFrameMs: nowMs - soundAgeMs,
      replayMs: Math.max(0, soundAgeMs - from.clockMs),
      told: new Map(replay.told.map((told) => [told.utterance_id, new Told(told)])),
      speechMs: replay.speech_ms,
    },
  };
}

function placeOf(
  { utterances, start }: SessionCheckpoint,
  replay: Replay,
): { from: SoundPlace; utteranceId: number; isBetween: boolean; reference: UtterancePlace['reference'] } | Refusal {
  const wanted = replay.utterance_id;
  const known = utterances.find(({ id }) => id === wanted);
  if (known) return { from: known.place, utteranceId: wanted, isBetween: false, reference: known.reference };
  const last = utterances.at(-1)!;
  if (wanted < last.id) return lost(`its text ${wanted} had its final, and is no longer kept`);
  const { epoch, seq, sample } = replay;
  if (epoch !== last.place.epoch) return lost(`its sample clock has begun again since it was last saved`);
  if (seq < last.place.seq || sample < last.place.sample) {
    const message = `replay.seq ${seq}: utterance ${wanted} cannot begin before utterance ${last.id}`;
    return { code: 'invalid_message', message };
  }
  const { epochStartMs } = last.place;
  const clockMs = epochStartMs + (sample / start.audio.sample_rate) * 1000;
  const from = { epoch, seq, sample, epochStartMs, clockMs };
  return { from, utteranceId: wanted - 1, isBetween: true, reference: last.reference };
}

function lost(why: string): Refusal {
  return { code: 'session_not_found', message: `the session cannot go on at another gateway: ${why}` };
}
