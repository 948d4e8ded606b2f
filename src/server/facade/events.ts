import type { ServerEvent } from '../../protocol/server-messages.ts';

/** The beginning of an event as sessions write it. */
export type EventHead = { type: ServerEvent['type']; audioMs: number };

export type EventOf<Type extends ServerEvent['type']> = Extract<ServerEvent, { type: Type }>;

/**
 * Reads the beginning alone: feedback comes ten times a second with all its phones, and most of it
 * is passed on as it is.
 */
export function headOf(text: string): EventHead {
  const [, audioMs, type] = head.exec(text) ?? [];
  if (type === undefined) throw new Error('an event of this server does not begin as all do');
  return { type: type as EventHead['type'], audioMs: Number(audioMs) };
}

/** The utterance of feedback, which is written behind the type. */
export function utteranceOf(text: string): number {
  return Number(/"utterance_id":(\d+)/.exec(text)?.[1]);
}

/** What is told of an utterance that is over, without the numbers of events. */
export function pronunciationOf(final: EventOf<'utterance_final'>) {
  const { heard, scores, words, deviations, pace, final_lag_ms, timing } = final;
  return { heard, scores, words, deviations, pace, final_lag_ms, timing };
}

const head = /^\{"event_id":\d+,"audio_ms":([\d.]+),"type":"(\w+)"/;
