import type { PhonemeResult } from '../../../src/protocol/result.ts';
import type { ServerEvent } from '../../../src/protocol/server-messages.ts';
import { connect, type EventOf, startMessage, type TestClient } from './client.ts';
import type { Clip } from './real.ts';

/** Starts a session that reads a clip. */
export async function startReading(url: string, clip: Clip): Promise<TestClient> {
  const client = await connect(url);
  const audio = { encoding: 'pcm_s16le', sample_rate: clip.sampleRateHz, channels: 1 } as const;
  client.send(startMessage({ audio, reference: { text: clip.text } }));
  await client.until('ready');
  return client;
}

/** Sends frames `first` to `last` of a clip, at once. */
export function sendClip(client: TestClient, clip: Clip, first: number, last: number): void {
  const frameSamples = clip.sampleRateHz / 50;
  for (let seq = first; seq <= last; seq++) {
    const firstSample = seq * frameSamples;
    client.frame(seq, { firstSample, samples: clip.samples.slice(firstSample, firstSample + frameSamples) });
  }
}

/** The last frame of a clip that is whole. */
export function lastFrame(clip: Clip): number {
  return Math.floor(clip.samples.length / (clip.sampleRateHz / 50)) - 1;
}

/** Reads a clip to its end. */
export async function readClipWhole(url: string, clip: Clip): Promise<TestClient> {
  const client = await startReading(url, clip);
  sendClip(client, clip, 0, lastFrame(clip));
  client.send({ type: 'close', last_seq: lastFrame(clip) });
  await client.closed;
  return client;
}

export function finalOf(events: readonly ServerEvent[]): EventOf<'utterance_final'> {
  const finals = events.filter((event) => event.type === 'utterance_final');
  if (finals.length !== 1) throw new Error(`${finals.length} finals instead of one`);
  return finals[0]!;
}

/** What of a phone must not depend on sockets and batches: numbers rounded, because batches differ in the last bits. */
export function essence(phone: PhonemeResult): string {
  const { index, phoneme, start_ms, end_ms, accuracy, error_type } = phone;
  return `${index} ${phoneme} ${start_ms}-${end_ms} ${accuracy === null ? '-' : Math.round(accuracy)} ${error_type}`;
}

/** The phones that feedback called final, in the order it did. */
export function finalsInFeedback(events: readonly ServerEvent[]): PhonemeResult[] {
  return events.flatMap((event) =>
    event.type === 'phoneme_feedback' ? event.phonemes.filter((phone) => phone.status === 'final') : [],
  );
}
