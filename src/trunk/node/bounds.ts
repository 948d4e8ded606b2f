import type { OpenUtterance } from '../wire/speechfb/v1/inference_pb.ts';

/**
 * Why an utterance is not opened; undefined: it may be. A gateway bounds what its learners ask for;
 * this bounds what a gateway may cost its node and the other gateways there.
 */
export function objectionTo({ words, emitIntervalMs, startMs, nbest }: OpenUtterance): string | undefined {
  if (emitIntervalMs < 1 || emitIntervalMs > mostEmitIntervalMs) {
    return `emit_interval_ms is ${emitIntervalMs}; allowed: 1 to ${mostEmitIntervalMs}`;
  }
  if (!(startMs >= 0 && startMs <= mostMs)) return `start_ms is ${startMs}; allowed: 0 to ${mostMs}`;
  if (nbest > mostNbest) return `nbest is ${nbest}; allowed: 0 to ${mostNbest}`;
  let characters = 0;
  for (const { variants, text, readings } of words) {
    characters += text.length + 1;
    for (const reading of readings) characters += reading.length + 1;
    for (const phones of variants) characters += phones.length + 1;
  }
  return characters > mostCharacters
    ? `its words have ${characters} characters; allowed: ${mostCharacters}`
    : undefined;
}

/** Whether time may pass for an utterance: silence for all of it is put before the model. */
export function isGap(ms: number): boolean {
  return ms > 0 && ms <= mostGapMs;
}

/**
 * Utterances that may be open under one lease, those that have ended and wait for their finals
 * among them.
 */
export const mostUtterances = 256;

const mostEmitIntervalMs = 60_000;
/** A day. */
const mostMs = 86_400_000;
const mostNbest = 100;
/** Twenty times the longest text that a gateway takes by default. */
const mostCharacters = 1_000_000;
/** Ten minutes: twice what a gateway keeps of a text for another node; 38 MB for the model. */
const mostGapMs = 600_000;
