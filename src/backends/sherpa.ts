import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
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
};

/**
 * A streaming model of sherpa-onnx, in a process of its own: a file that is no network ends it.
 * Throws `backend_unavailable` where the
 * optional package is not installed, or the directory is no model.
 */
export function sherpaOnnx({ name, directory, package: packageName = 'sherpa-onnx-node' }: SherpaOptions): Backend {
  const model = findSherpaModel(directory);
  try {
    createRequire(import.meta.url).resolve(packageName);
  } catch {
    const message = `it needs the package ${packageName}, which is not installed`;
    throw new SpeechfbError('backend_unavailable', message, { hint: `npm install ${packageName}@1` });
  }
  return new SherpaBackend(name, { model, package: packageName, threads: 1 });
}

class SherpaBackend implements Backend {
  readonly kind = 'sherpa-onnx';
  readonly name: string;
  readonly #work: SherpaWork;
  readonly #hearings = new Map<number, SherpaHearing>();
  #child: ChildProcess | undefined;
  #ready = false;
  #newest = 0;

  constructor(name: string, work: SherpaWork) {
    this.name = name;
    this.#work = work;
  }

  open(input: HearingInput, on: HearingEvents): Hearing {
    const id = ++this.#newest;
    const child = this.#start();
    const hearing = new SherpaHearing({
      name: this.name,
      input,
      on,
      ask: (task) => send(child, { ...task, id } as SherpaTask),
      onOver: () => this.#hearings.delete(id),
    });
    this.#hearings.set(id, hearing);
    if (this.#ready) queueMicrotask(() => hearing.ready());
    return hearing;
  }

  async close(): Promise<void> {
    for (const hearing of [...this.#hearings.values()]) hearing.close();
    const child = this.#child;
    this.#child = undefined;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  }

  /** A process that has died is begun anew by the next session; it ends with this one. */
  #start(): ChildProcess {
    if (this.#child) return this.#child;
    const script = workerUrl(import.meta.url, 'sherpa/worker.js');
    const child = fork(script, { serialization: 'advanced', stdio: ['ignore', 'ignore', 'ignore', 'ipc'] });
    child.unref();
    child.channel?.unref();
    child.on('message', (news: SherpaNews) => {
      if (child === this.#child) this.#heard(news);
    });
    child.on('error', (error) => this.#died(child, error.message));
    child.on('exit', (code, signal) => this.#died(child, `its process ended (${code ?? signal}); is its model one?`));
    this.#child = child;
    this.#ready = false;
    send(child, this.#work);
    return child;
  }

  #heard(news: SherpaNews): void {
    if (news.is === 'text') this.#hearings.get(news.id)?.told(news);
    else if (news.is === 'failed') this.#died(this.#child, news.message);
    else {
      this.#ready = true;
      for (const hearing of this.#hearings.values()) hearing.ready();
    }
  }

  #died(child: ChildProcess | undefined, why: string): void {
    if (child === undefined || child !== this.#child) return;
    this.#child = undefined;
    child.kill('SIGKILL');
    const message = plainText(`${this.name}: ${why}`, mostWords);
    for (const hearing of [...this.#hearings.values()]) hearing.fail(message);
  }
}

const mostWords = 300;

/** What is said to a process that is gone is lost, as its hearings are told. */
function send(child: ChildProcess, message: SherpaWork | SherpaTask): void {
  if (child.connected) child.send(message, () => {});
}
