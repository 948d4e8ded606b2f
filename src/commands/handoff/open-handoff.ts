import { setTimeout as wait } from 'node:timers/promises';
import type { AcousticEngine } from '../../acoustic/engine/types.ts';
import { SpeechfbError } from '../../errors.ts';
import { Handoff } from '../../handoff/handoff.ts';
import { LocalHandoff } from '../../handoff/local-handoff.ts';
import type { HandedScoring } from '../../handoff/score-handed.ts';
import { KafkaQueue } from '../../queue/kafka/kafka-queue.ts';
import { TracedQueue } from '../../queue/traced-queue.ts';
import type { WorkQueue } from '../../queue/work-queue.ts';
import type { LateParts } from '../../server/gateway/server-options.ts';
import { MemoryResultStore } from '../../stores/memory-result-store.ts';
import { openResults } from '../../stores/redis/open-store.ts';
import type { Log } from '../../telemetry/log.ts';
import type { MessageTracing } from '../../telemetry/tracing/tracing.ts';
import { type KafkaFlags, kafkaPlaceOf, topicsOf } from './kafka.ts';

export type HandoffFlags = KafkaFlags & { handoff?: 'memory'; keepAudio?: number };

/** What of a server's settings says whether utterances are handed over. */
type HandoffSettings = { handoff: HandoffFlags; store: string | undefined; region: string | undefined };

/** @throws SpeechfbError `bad_flag`, `unset_variable` */
export function checkHandoff({ handoff, store }: Omit<HandoffSettings, 'region'>): void {
  const { kafka, keepAudio } = handoff;
  if (handoff.handoff !== undefined && kafka !== undefined) {
    const hint = 'leave --handoff out, so that workers score what goes to Kafka';
    throw new SpeechfbError('bad_flag', '--handoff memory keeps utterances in this process: not with --kafka', {
      hint,
    });
  }
  if (kafka === undefined) {
    const isKept = keepAudio !== undefined && handoff.handoff === undefined;
    if (isKept) throw new SpeechfbError('bad_flag', '--keep-audio needs --kafka or --handoff memory');
    if (handoff.kafkaUser !== undefined) throw new SpeechfbError('bad_flag', '--kafka-user needs --kafka');
    return;
  }
  kafkaPlaceOf(handoff);
  if (store !== undefined) return;
  const hint = 'add --store redis://host:port/0';
  throw new SpeechfbError('bad_flag', '--kafka needs a store for keys and results, which workers share', { hint });
}

/** Whether what is handed over stays in one process, results too: no other may serve beside it. */
export function staysInProcess({ handoff, store }: Pick<HandoffSettings, 'handoff' | 'store'>): boolean {
  return handoff.handoff === 'memory' && store === undefined;
}

/** What hands over for a server. */
type OpenedHandoff = {
  late: LateParts;
  /** Where this process scores later what it hands over: from here on. */
  work(engine: Promise<AcousticEngine>, scoring: Omit<HandedScoring, 'engine' | 'pace'>, hasRoom: () => boolean): void;
  /** Gives what waits so long to get away, ms; what is left then is lost. */
  close(ms: number): Promise<void>;
};

/**
 * Undefined: nothing hands over.
 *
 * @param tracing follows what is handed over; undefined: nobody wants traces
 */
export function openHandoff(
  settings: HandoffSettings,
  log: Log,
  tracing: MessageTracing | undefined,
): OpenedHandoff | undefined {
  const { handoff: flags, store, region } = settings;
  const { kafka, keepAudio: keepMs } = flags;
  if (flags.handoff === 'memory') return openLocal(settings, log, tracing);
  if (kafka === undefined || store === undefined) return undefined;
  if (keepMs === undefined) {
    log.warn({ kafka }, 'nothing is handed over: that keeps voices at rest, and --keep-audio is not given');
    return undefined;
  }
  const results = openResults(store, region, log);
  const topics = topicsOf(region);
  const kafkaQueue = new KafkaQueue({ place: kafkaPlaceOf(flags), ...topics, onTrouble() {} });
  const queue = tracing ? new TracedQueue(kafkaQueue, { tracing, system: 'kafka', ...topics }) : kafkaQueue;
  const common = { queue, results, region: region ?? '', keepMs, log, wallMs: Date.now, pause };
  const handoff = new Handoff({ ...common, maxSoundBytes, maxOutboxBytes });
  return {
    late: { handoff, results, keepMs },
    work() {},
    async close(ms) {
      await handoff.close(ms);
      await queue.close();
      await results.close();
    },
  };
}

/** What is handed over stays here, and is scored here. */
function openLocal(
  { handoff: flags, store, region = '' }: HandoffSettings,
  log: Log,
  tracing: MessageTracing | undefined,
): OpenedHandoff {
  const keepMs = flags.keepAudio ?? localKeepMs;
  const kept = store === undefined ? keptResults(log) : undefined;
  const results = kept ?? openResults(store!, region, log);
  const common = { results, region, keepMs, log, wallMs: Date.now, pause };
  log.info({ keep_ms: keepMs, max_bytes: maxOutboxBytes }, 'what cannot be finished live is scored later here');
  const sharesResults = store !== undefined;
  const traced =
    tracing && ((queue: WorkQueue) => new TracedQueue(queue, { tracing, system: 'memory', topic: 'handoff' }));
  const bounds = { maxBytes: maxOutboxBytes, random: Math.random };
  const local = new LocalHandoff({ ...common, ...bounds, sharesResults, traced });
  const handoff = new Handoff({ ...common, queue: local.queue, maxSoundBytes, maxOutboxBytes });
  return {
    late: { handoff, results, keepMs, scoring: () => local.numbers, kept: kept && (() => kept.numbers) },
    work(engine, scoring, hasRoom) {
      const begin = (loaded: AcousticEngine): void =>
        local.begin({ scoring: { engine: () => loaded, ...scoring }, hasRoom });
      // A model that cannot be loaded ends the server, and is told there.
      engine.then(begin, () => {});
    },
    async close(ms) {
      await handoff.close(ms);
      await local.close(ms);
      await results.close();
    },
  };
}

/** Results in this process, bounded; each loss is said. */
function keptResults(log: Log): MemoryResultStore {
  return new MemoryResultStore(() => performance.now(), {
    maxBytes: maxResultBytes,
    maxSessions: maxResultSessions,
    onDropped(session, utterances, why) {
      const full = why === 'bytes' ? `${maxResultBytes / 1_048_576} MiB` : `those of ${maxResultSessions} sessions`;
      log.warn({ session, utterances, why: `${full} of results are kept` }, 'late results were dropped to make room');
    },
  });
}

function pause(ms: number): Promise<void> {
  return wait(ms, undefined, { ref: false });
}

/** Two minutes at 16 kHz. */
const maxSoundBytes = 4_194_304;
const maxOutboxBytes = 67_108_864;
/** A learner who comes back for the final does so within minutes. */
const localKeepMs = 600_000;
/** Some thousand finals, of some kilobytes each. */
const maxResultBytes = 67_108_864;
const maxResultSessions = 100_000;
