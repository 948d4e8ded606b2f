import { setTimeout as wait } from 'node:timers/promises';
import { loadModelPackage } from '../../acoustic/model/load-model.ts';
import { type ExitCode, SpeechfbError } from '../../errors.ts';
import { HandoffWorker } from '../../handoff/handoff-worker.ts';
import { scoreHanded } from '../../handoff/score-handed.ts';
import { plainText } from '../../plain-text.ts';
import type { KafkaPlace } from '../../queue/kafka/kafka-place.ts';
import { KafkaQueue } from '../../queue/kafka/kafka-queue.ts';
import { TracedQueue } from '../../queue/traced-queue.ts';
import { QueueError, type WorkQueue } from '../../queue/work-queue.ts';
import { checkStore, openResults } from '../../stores/redis/open-store.ts';
import { createLog, type Log } from '../../telemetry/log.ts';
import type { LogLevel } from '../../telemetry/log-levels.ts';
import type { MessageTracing } from '../../telemetry/tracing/tracing.ts';
import { type KafkaFlags, kafkaPlaceOf, topicsOf } from '../handoff/kafka.ts';
import { printDocument } from '../output.ts';
import { shippedPath } from '../package.ts';
import { reportingTo } from '../reporting-to.ts';
import { type TracingFlags, tracingSettingsOf } from '../serve/flags/tracing-flags.ts';
import { localEngine } from '../serve/served-engine.ts';
import { drainedUnless, listenForSignals } from '../serve/signals.ts';
import { openTracing } from '../serve/tracing.ts';

export type WorkerFlags = KafkaFlags &
  Pick<TracingFlags, 'otlp'> & {
    model?: string;
    device: string;
    store: string;
    region?: string;
    atOnce: number;
    tries: number;
    keep: number;
    drain: number;
    logLevel: LogLevel;
    parentFd?: number;
  };

/**
 * Works until a stop signal, then ends what goes on; a second one ends it at once. A load test that
 * started it is told on their pipe when it is ready, or why not.
 */
export async function runWorker(flags: WorkerFlags): Promise<ExitCode> {
  return await reportingTo(flags.parentFd, (onReady) => work(flags, () => onReady('')));
}

async function work(flags: WorkerFlags, onReady: () => void): Promise<ExitCode> {
  const { kafka, region, atOnce, tries, keep: keepMs } = flags;
  if (kafka === undefined) throw new SpeechfbError('bad_flag', 'a worker needs --kafka', { hint: '--kafka host:9092' });
  const place = kafkaPlaceOf(flags);
  const store = checkStore(flags.store);
  if (store === undefined) {
    throw new SpeechfbError('bad_flag', '--store memory is of one process: a worker shares a store with gateways');
  }
  const log = createLog(flags.logLevel, process.stderr);
  const model = loadModelPackage(flags.model ?? shippedPath('models/en-learner'));
  const served = localEngine(model, { device: flags.device }, log);
  const topics = topicsOf(region);
  await using tracing = await openTracing(tracingSettingsOf(flags), log);
  const { queue, traced } = openQueue(place, topics, log, tracing);
  const results = openResults(store, region, log);
  const signals = listenForSignals(flags.parentFd !== undefined, () => {});
  try {
    const engine = await served.load();
    const scoring = { engine: () => engine, ...served.scoring };
    const worker = new HandoffWorker({
      ...{ queue, results, region: region ?? '', atOnce, tries, keepMs, log, wallMs: Date.now, random: Math.random },
      score(head, utterance, delivery) {
        const score = (): Promise<object> => scoreHanded(scoring, head, utterance);
        return traced ? traced.part(delivery, 'score', score) : score();
      },
      pause: (ms) => wait(ms, undefined, { ref: false }),
    });
    const working = worker.run();
    const what = `${model.name} ${model.version} on ${engine.provider}`;
    printDocument(`${plainText(`speechfb: worker ready for ${topics.topic} (${what})`)}\n`);
    onReady();
    await Promise.race([signals.first, served.died, working]);
    const drained = worker.drain(flags.drain);
    return await drainedUnless(signals, drained, ({ left }) => log.info({ ...worker.counts, left }, 'drained'));
  } catch (error) {
    throw error instanceof QueueError ? new SpeechfbError('kafka_refused', error.message, hintOf(error)) : error;
  } finally {
    signals.stop();
    await queue.close();
    await results.close();
    await served.close();
  }
}

/** The work in Kafka; `traced`: the same, where somebody wants traces. */
function openQueue(
  place: KafkaPlace,
  topics: ReturnType<typeof topicsOf>,
  log: Log,
  tracing: MessageTracing | undefined,
): { queue: WorkQueue; traced: TracedQueue | undefined } {
  const kafka = new KafkaQueue({
    place,
    ...topics,
    onTrouble: ({ message }) => log.warn({ why: message }, 'Kafka does not deliver, and is tried again'),
  });
  const traced = tracing && new TracedQueue(kafka, { tracing, system: 'kafka', ...topics });
  return { queue: traced ?? kafka, traced };
}

function hintOf({ why }: QueueError): { hint?: string } {
  return why === 'no_topic' ? { hint: 'deploy/kafka/topics.yaml has the topics; docs/handoff.md says how' } : {};
}
