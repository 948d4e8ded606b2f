import { createRequire } from 'node:module';
import { Worker } from 'node:worker_threads';
import { SpeechfbError } from '../errors.ts';
import { plainText } from '../plain-text.ts';
import { workerUrl } from '../threads/worker-url.ts';
import type { Backend, Hearing, HearingEvents, HearingInput } from './backend.ts';
import type { SherpaNews, SherpaTask, SherpaWork } from './sherpa/messages.ts';
import { findSherpaModel } from './sherpa/model.ts';
import { SherpaHearing } from './sherpa-hearing.ts';

export type SherpaOptions = {
  name: string;
  /** The model's. */
  directory: string;
  /** Default `sherpa-onnx-node`, which whoever wants it installs. */
  package?: string | undefined;
  /** Default: that beside this file. */
  workerScript?: URL | undefined;
};

/**
 * A streaming model of sherpa-onnx, on a thread of its own. Throws `backend_unavailable` where the
 * optional package is not installed, or the directory is no model.
 */
export function sherpaOnnx({
  name,
  directory,
  package: packageName = 'sherpa-onnx-node',
  workerScript,
}: SherpaOptions): Backend {
  const model = findSherpaModel(directory);
  try {
    createRequire(import.meta.url).resolve(packageName);
  } catch {
    const message = `it needs the package ${packageName}, which is not installed`;
    throw new SpeechfbError('backend_unavailable', message, { hint: `npm install ${packageName}@1` });
  }
  return new SherpaBackend(name, { model, package: packageName, threads: 1 }, workerScript);
}

class SherpaBackend implements Backend {
  readonly kind = 'sherpa-onnx';
  readonly name: string;
  readonly #work: SherpaWork;
  readonly #script: URL | string;
  readonly #hearings = new Map<number, SherpaHearing>();
  #worker: Worker | undefined;
  #ready = false;
  #newest = 0;

  constructor(name: string, work: SherpaWork, script: URL | undefined) {
    this.name = name;
    this.#work = work;
    this.#script = script ?? workerUrl(import.meta.url, 'sherpa/worker.js');
  }

  open(input: HearingInput, on: HearingEvents): Hearing {
    const id = ++this.#newest;
    const worker = this.#start();
    const hearing = new SherpaHearing({
      name: this.name,
      input,
      on,
      ask: (task) => worker.postMessage({ ...task, id } as SherpaTask),
      onOver: () => this.#hearings.delete(id),
    });
    this.#hearings.set(id, hearing);
    if (this.#ready) queueMicrotask(() => hearing.ready());
    return hearing;
  }

  async close(): Promise<void> {
    for (const hearing of [...this.#hearings.values()]) hearing.close();
    const worker = this.#worker;
    this.#worker = undefined;
    await worker?.terminate();
  }

  /** A thread that has died is begun anew by the next session. */
  #start(): Worker {
    if (this.#worker) return this.#worker;
    const worker = new Worker(this.#script, { workerData: this.#work });
    worker.unref();
    worker.on('message', (news: SherpaNews) => this.#heard(news));
    worker.on('error', (error) => this.#died(worker, error.message));
    worker.on('exit', (code) => this.#died(worker, `its thread ended (${code})`));
    this.#worker = worker;
    this.#ready = false;
    return worker;
  }

  #heard(news: SherpaNews): void {
    if (news.is === 'text') this.#hearings.get(news.id)?.told(news);
    else if (news.is === 'failed') this.#died(this.#worker, news.message);
    else {
      this.#ready = true;
      for (const hearing of this.#hearings.values()) hearing.ready();
    }
  }

  #died(worker: Worker | undefined, why: string): void {
    if (worker === undefined || worker !== this.#worker) return;
    this.#worker = undefined;
    void worker.terminate();
    const message = plainText(`${this.name}: ${why}`, mostWords);
    for (const hearing of [...this.#hearings.values()]) hearing.fail(message);
  }
}

const mostWords = 300;
