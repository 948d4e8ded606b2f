import { type Dispatcher, FormData, request } from 'undici';
import { wavFile } from '../audio/write-wav.ts';
import { tlsTrouble } from '../client/tls-trouble.ts';
import { plainText } from '../plain-text.ts';
import { hideSecrets } from '../redact.ts';
import type { BackendError } from './backend.ts';
import { backendError, type Failure } from './error-class.ts';
import type { HttpBatchOptions } from './http-batch-options.ts';

/** One recording, and how long its text is of use. */
export type BatchWish = {
  /** pcm_s16le. */
  pcm: Uint8Array;
  sampleRateHz: number;
  language: string;
  deadlineMs: number | undefined;
};

export type BatchText = { text: string } | { error: BackendError };

/** Posts recordings to a server of transcriptions. */
export class BatchTranscriber {
  readonly #options: HttpBatchOptions;
  readonly #dispatcher: Dispatcher;

  constructor(options: HttpBatchOptions, dispatcher: Dispatcher) {
    this.#options = options;
    this.#dispatcher = dispatcher;
  }

  /** Resolves in bounded time, whatever the server does; an answer to `signal` is an error. */
  async transcribe(wish: BatchWish, signal: AbortSignal): Promise<BatchText> {
    const { hedgeAfterMs, retryBudget, time } = this.#options;
    const over = new AbortController();
    const all = AbortSignal.any([signal, over.signal]);
    const first = this.#ask(wish, all);
    if (hedgeAfterMs === undefined) return first;
    try {
      const early = await Promise.race([first, elapsed(time, hedgeAfterMs, all)]);
      if (early !== undefined) return early;
      if (!retryBudget.take()) return await first;
      const second = this.#ask(wish, all).finally(() => retryBudget.release());
      return await firstText(first, second);
    } finally {
      over.abort();
    }
  }

  async #ask(wish: BatchWish, signal: AbortSignal): Promise<BatchText> {
    const deadlineMs = Math.min(longestMs, Math.max(1, Math.ceil(wish.deadlineMs ?? longestMs)));
    const late = AbortSignal.timeout(deadlineMs);
    try {
      const { statusCode, headers, body } = await request(this.#options.url.href, {
        method: 'POST',
        headers: this.#headers(),
        body: this.#form(wish),
        dispatcher: this.#dispatcher,
        signal: AbortSignal.any([signal, late]),
        headersTimeout: longestMs,
        bodyTimeout: longestMs,
      });
      const text = await readBody(body);
      if (text === undefined) return this.#failure({ message: 'its answer is longer than a megabyte' });
      const answer = fieldsOf(text);
      if (statusCode === 200 && typeof answer?.text === 'string') return { text: answer.text.trim() };
      return this.#failure({
        status: statusCode === 200 ? undefined : statusCode,
        ...saidIn(statusCode, text, answer),
        ...wait(headers),
      });
    } catch (error) {
      if (late.aborted) return this.#failure({ message: `no answer for ${(deadlineMs / 1000).toFixed(1)} s` });
      return this.#failure({ message: this.#wordsOf(error) });
    }
  }

  #headers(): Record<string, string> {
    const { url, apiKey } = this.#options;
    return {
      accept: 'application/json',
      ...url.authorization,
      ...(apiKey !== undefined && { authorization: `Bearer ${apiKey}` }),
    };
  }

  /**
   * What the learner is to read is not told: a recogniser that knows it hears it, read or not.
   */
  #form({ pcm, sampleRateHz, language }: BatchWish): FormData {
    const form = new FormData();
    form.set('file', new Blob([wavFile(pcm, sampleRateHz)], { type: 'audio/wav' }), 'utterance.wav');
    form.set('model', this.#options.model);
    form.set('language', language.split('-')[0]!);
    form.set('response_format', 'json');
    return form;
  }

  #wordsOf(error: unknown): string {
    const words = error instanceof Error ? error.message || error.name : String(error);
    return tlsTrouble(words, this.#options.url.hostname)?.words ?? words;
  }

  #failure({ message, ...failure }: Failure): { error: BackendError } {
    const { name, url, apiKey } = this.#options;
    const shown = plainText(hideSecrets(url.hide(message), apiKey === undefined ? [] : [apiKey]), mostWords);
    return { error: backendError({ message: `${name}: ${shown}`, ...failure }) };
  }
}

/** Nobody waits longer for the text of what has been said. */
const longestMs = 60_000;
const mostBodyBytes = 1_000_000;
const mostWords = 300;

async function readBody(body: AsyncIterable<Uint8Array>): Promise<string | undefined> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.length;
    if (bytes > mostBodyBytes) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

type Fields = Readonly<Record<string, unknown>>;

function fieldsOf(text: string): Fields | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}

/** What a server says beside a status: the words of an error, never those of a transcript. */
function saidIn(status: number, text: string, answer: Fields | undefined): Pick<Failure, 'message' | 'code'> {
  if (status === 200) return { message: answer ? 'an answer without a text' : 'an answer that is no JSON' };
  const inner = {
    ...answer,
    ...(typeof answer?.error === 'object' && answer.error !== null ? answer.error : {}),
  } as Fields;
  const words = ['message', 'detail', 'error', 'err_msg']
    .map((key) => inner[key])
    .find((one) => typeof one === 'string');
  const code = ['code', 'type', 'err_code'].map((key) => inner[key]).find((one) => typeof one === 'string');
  const said = words ?? (answer ? '' : text.trim().replace(/\s+/g, ' ').slice(0, 200));
  return { message: `HTTP ${status}${said ? ` ${said}` : ''}`, ...(typeof code === 'string' && { code }) };
}

function wait(headers: Readonly<Record<string, string | string[] | undefined>>): Pick<Failure, 'retryAfterMs'> {
  const seconds = /^\d{1,6}$/.exec(`${headers['retry-after'] ?? ''}`)?.[0];
  return seconds === undefined ? {} : { retryAfterMs: Number(seconds) * 1000 };
}

function elapsed(time: HttpBatchOptions['time'], ms: number, signal: AbortSignal): Promise<undefined> {
  return new Promise((resolve) => {
    const cancel = time.at(time.now() + ms, () => resolve(undefined));
    signal.addEventListener('abort', cancel, { once: true });
  });
}

/** The first of two that has a text; an error of both is the first's. */
async function firstText(first: Promise<BatchText>, second: Promise<BatchText>): Promise<BatchText> {
  const orThrow = async (answer: Promise<BatchText>): Promise<BatchText> => {
    const got = await answer;
    if ('error' in got) throw got.error;
    return got;
  };
  return Promise.any([orThrow(first), orThrow(second)]).catch(() => first);
}
