import { setTimeout as wait } from 'node:timers/promises';
import { SpeechfbError } from '../../errors.ts';
import { Handoff } from '../../handoff/handoff.ts';
import { KafkaQueue } from '../../queue/kafka/kafka-queue.ts';
import { openResults } from '../../stores/redis/open-store.ts';
import type { ResultStore } from '../../stores/result-store.ts';
import type { Log } from '../../telemetry/log.ts';
import { type KafkaFlags, kafkaPlaceOf, topicsOf } from './kafka.ts';

export type HandoffFlags = KafkaFlags & { keepAudio?: number };

/** What of a server's settings says whether utterances are handed over. */
type HandoffSettings = { handoff: HandoffFlags; store: string | undefined; region: string | undefined };

/** @throws SpeechfbError `bad_flag`, `unset_variable` */
export function checkHandoff({ handoff, store }: Omit<HandoffSettings, 'region'>): void {
  const { kafka, keepAudio } = handoff;
  if (kafka === undefined) {
    const stray =
      keepAudio !== undefined ? '--keep-audio' : handoff.kafkaUser !== undefined ? '--kafka-user' : undefined;
    if (stray) throw new SpeechfbError('bad_flag', `${stray} needs --kafka`);
    return;
  }
  kafkaPlaceOf(handoff);
  if (store !== undefined) return;
  const hint = 'add --store redis://host:port/0';
  throw new SpeechfbError('bad_flag', '--kafka needs a store for keys and results, which workers share', { hint });
}

/** What hands over for a server; undefined: nothing does. Its owner gives it time to end, ms. */
export function openHandoff(
  { handoff: flags, store, region }: HandoffSettings,
  log: Log,
): { late: { handoff: Handoff; results: ResultStore; keepMs: number }; close(ms: number): Promise<void> } | undefined {
  const { kafka, keepAudio: keepMs } = flags;
  if (kafka === undefined || store === undefined) return undefined;
  if (keepMs === undefined) {
    log.warn({ kafka }, 'nothing is handed over: that keeps voices at rest, and --keep-audio is not given');
    return undefined;
  }
  const results = openResults(store, region, log);
  const queue = new KafkaQueue({ place: kafkaPlaceOf(flags), ...topicsOf(region), onTrouble() {} });
  const pause = (ms: number): Promise<void> => wait(ms, undefined, { ref: false });
  const common = { queue, results, region: region ?? '', keepMs, log, wallMs: Date.now, pause };
  const handoff = new Handoff({ ...common, maxSoundBytes, maxOutboxBytes });
  return {
    late: { handoff, results, keepMs },
    async close(ms) {
      await handoff.close(ms);
      await queue.close();
      await results.close();
    },
  };
}

/** Two minutes at 16 kHz. */
const maxSoundBytes = 4_194_304;
const maxOutboxBytes = 67_108_864;
