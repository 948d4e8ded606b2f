import { createRequire } from 'node:module';
import type { SherpaNews, SherpaTask, SherpaWork } from './messages.ts';

/** The part of sherpa-onnx-node 1.x that is used. */
type Sherpa = { OnlineRecognizer: new (config: object) => Recognizer };
type Stream = {
  acceptWaveform(sound: { samples: Float32Array; sampleRate: number }): void;
  inputFinished(): void;
};
type Recognizer = {
  createStream(): Stream;
  isReady(stream: Stream): boolean;
  decode(stream: Stream): void;
  getResult(stream: Stream): { text: string; tokens?: readonly string[]; timestamps?: readonly number[] };
};
type Ear = { sampleRateHz: number; stream: Stream | undefined; heardMs: number; toldMs: number; shown: string };

/**
 * Hears in a process of its own: its decoding would stop the sockets of all learners, and what it
 * does not like (a broken model) ends the process that it is in.
 */
class SherpaProcess {
  readonly #recognizer: Recognizer;
  readonly #say: (news: SherpaNews) => void;
  readonly #ears = new Map<number, Ear>();

  constructor({ model, package: name, threads }: SherpaWork, say: (news: SherpaNews) => void) {
    const { tokens, ...network } = model;
    const sherpa = createRequire(import.meta.url)(name) as Sherpa;
    this.#recognizer = new sherpa.OnlineRecognizer({
      featConfig: { sampleRate: 16_000, featureDim: 80 },
      modelConfig: { ...network, tokens, numThreads: threads, provider: 'cpu', debug: 0 },
      decodingMethod: 'greedy_search',
      enableEndpoint: false,
    });
    this.#say = say;
    say({ is: 'ready' });
  }

  take(task: SherpaTask): void {
    if (task.do === 'open') {
      const { sampleRateHz } = task;
      this.#ears.set(task.id, { sampleRateHz, stream: undefined, heardMs: 0, toldMs: 0, shown: '' });
      return;
    }
    const ear = this.#ears.get(task.id);
    if (!ear) return;
    if (task.do === 'hear') this.#hear(task.id, ear, task.samples);
    else if (task.do === 'end') this.#end(task.id, ear);
    else this.#ears.delete(task.id);
  }

  #hear(id: number, ear: Ear, samples: Float32Array): void {
    const { sampleRateHz } = ear;
    ear.stream ??= this.#recognizer.createStream();
    ear.stream.acceptWaveform({ samples, sampleRate: sampleRateHz });
    ear.heardMs += (samples.length / sampleRateHz) * 1000;
    this.#decode(ear.stream);
    const { text } = this.#recognizer.getResult(ear.stream);
    if (text === ear.shown && ear.heardMs - ear.toldMs < quietMs) return;
    this.#tell(id, ear, false);
    ear.shown = text;
    ear.toldMs = ear.heardMs;
  }

  #end(id: number, ear: Ear): void {
    if (ear.stream) {
      const silence = new Float32Array(Math.round(ear.sampleRateHz * lookAheadS));
      ear.stream.acceptWaveform({ samples: silence, sampleRate: ear.sampleRateHz });
      ear.stream.inputFinished();
      this.#decode(ear.stream);
    }
    this.#tell(id, ear, true);
    Object.assign(ear, { stream: undefined, heardMs: 0, toldMs: 0, shown: '' });
  }

  #decode(stream: Stream): void {
    while (this.#recognizer.isReady(stream)) this.#recognizer.decode(stream);
  }

  #tell(id: number, { stream, heardMs }: Ear, isFinal: boolean): void {
    const { text = '', tokens = [], timestamps = [] } = stream ? this.#recognizer.getResult(stream) : {};
    const timed = timestamps.length === tokens.length ? tokens : [];
    this.#say({
      is: 'text',
      id,
      text: text.trim(),
      isFinal,
      tokens: timed.map((token, index) => ({ text: token, startMs: timestamps[index]! * 1000 })),
      heardMs,
    });
  }
}

/** After so much sound without news it tells that it has heard it, ms. */
const quietMs = 1000;
/** What streaming models of the project look ahead at most, s. */
const lookAheadS = 0.7;

const say = (news: SherpaNews): void => {
  process.send?.(news);
};
let hearer: SherpaProcess | undefined;
process.on('message', (message: SherpaWork | SherpaTask) => {
  try {
    if ('do' in message) hearer?.take(message);
    else hearer = new SherpaProcess(message, say);
  } catch (error) {
    say({ is: 'failed', message: error instanceof Error ? error.message : String(error) });
  }
});
