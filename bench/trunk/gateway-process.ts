import { credentials } from '@grpc/grpc-js';
import type { OpenUtterance, UtterancePipeline } from '../../src/scoring/pipeline.ts';
import { createLog } from '../../src/telemetry/log.ts';
import { NodeAddresses, parseNodeSource } from '../../src/trunk/gateway/node-addresses.ts';
import { NodePool } from '../../src/trunk/gateway/node-pool.ts';
import { answerLooks } from './look.ts';
import { quietEngine, quietReference, quietScoring, taken } from './quiet-scoring.ts';

// Sessions that read without end, scored at nodes or, where none is named, right here: the difference
// is what the trunk costs.
const [sessions = '500', frameMs = '20', utteranceMs = '6000', ...addresses] = process.argv.slice(2);
const engine = quietEngine();
const open = addresses.length > 0 ? await atNodes(addresses) : quietScoring;
const samplesAFrame = (engine.model.sampleRateHz * Number(frameMs)) / 1000;
/** Sixteen-bit sound, as a learner's app sends it. */
const pcm = Int16Array.from({ length: samplesAFrame }, (_, at) => 9000 * Math.sin(at / 5));

async function atNodes(named: readonly string[]): Promise<OpenUtterance> {
  const pool = new NodePool({
    model: engine.model,
    nodes: new NodeAddresses(named.map((address) => parseNodeSource(address))),
    region: '',
    gateway: 'bench',
    credentials: credentials.createInsecure(),
    log: createLog('error', process.stderr),
    // On a busy machine all of it is late.
    homelessMs: 60_000,
  });
  while (pool.stats().trunks < named.length) await new Promise((resolve) => setTimeout(resolve, 50));
  return pool.openUtterance;
}

/** Sends each reader's frame when it is due; they are due evenly over the time of a frame. */
function drive(): void {
  const startMs = performance.now();
  let sent = 0;
  setInterval(() => {
    const due = Math.floor(((performance.now() - startMs) / Number(frameMs)) * readers.length);
    // A process that had no CPU for a while does not send all of it at once.
    sent = Math.max(sent, due - readers.length);
    for (; sent < due; sent += 1) readers[sent % readers.length]!.speak();
  }, 1);
}

class Reader {
  readonly #speaker: string;
  #utterance: UtterancePipeline | undefined;
  #spokenMs: number;

  constructor(speaker: string, at: number) {
    this.#speaker = speaker;
    // They end at different times.
    this.#spokenMs = (at * 137) % Number(utteranceMs);
  }

  speak(): void {
    this.#utterance ??= open(
      engine,
      quietReference,
      { emitIntervalMs: 100, speaker: this.#speaker },
      { onFeedback() {}, onError: fail },
    );
    this.#utterance.push(pcm);
    if (addresses.length > 0) taken.frames += 1;
    this.#spokenMs += Number(frameMs);
    if (this.#spokenMs < Number(utteranceMs)) return;
    this.#utterance.finish().catch(fail);
    this.#utterance = undefined;
    this.#spokenMs = 0;
  }
}

function fail(error: Error): void {
  process.stderr.write(`${error.message}\n`);
  process.exit(1);
}

const readers = Array.from({ length: Number(sessions) }, (_, at) => new Reader(`session ${at}`, at));
drive();
answerLooks('');
