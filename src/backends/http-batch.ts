import { createSecureContext, rootCertificates } from 'node:tls';
import { Agent } from 'undici';
import type { Backend, Hearing, HearingEvents, HearingInput } from './backend.ts';
import { BatchHearing } from './batch-hearing.ts';
import { BatchTranscriber } from './batch-transcriber.ts';
import type { HttpBatchOptions } from './http-batch-options.ts';

/**
 * Transcription after the fact, as OpenAI has it (`/v1/audio/transcriptions`) and many servers with
 * it: the sound of an utterance is kept until it is over and posted as a WAV file. For languages
 * that nobody hears as they are spoken.
 */
export function httpBatch(options: HttpBatchOptions): Backend {
  return new HttpBatch(options);
}

class HttpBatch implements Backend {
  readonly kind = 'http-batch';
  readonly name: string;
  readonly #agent: Agent;
  readonly #transcriber: BatchTranscriber;
  readonly #hearings = new Set<BatchHearing>();

  constructor(options: HttpBatchOptions) {
    const { name, tls } = options;
    this.name = name;
    // Read once: it takes 20 to 30 ms, in which a server's thread hears nobody.
    const trust = tls?.ca && { secureContext: createSecureContext({ ca: [...rootCertificates, tls.ca] }) };
    this.#agent = new Agent({ connect: { ...trust, timeout: connectMs } });
    this.#transcriber = new BatchTranscriber(options, this.#agent);
  }

  open(input: HearingInput, on: HearingEvents): Hearing {
    const hearing = new BatchHearing({
      name: this.name,
      input,
      transcriber: this.#transcriber,
      on,
      onOver: () => this.#hearings.delete(hearing),
    });
    this.#hearings.add(hearing);
    return hearing;
  }

  async close(): Promise<void> {
    for (const hearing of [...this.#hearings]) hearing.close();
    await this.#agent.destroy();
  }
}

const connectMs = 5000;
