import { randomUUID } from 'node:crypto';
import { keyAfter, type Vendor, type VendorRequest } from './emulator.ts';
import type { Line } from './line.ts';
import type { Recogniser, Said } from './recogniser.ts';

/**
 * Deepgram's live transcription, version 1: raw PCM in, `Results` out. Written from developers.deepgram.com (reference of
 * Live Audio; Finalize; Close Stream; Audio Keep Alive; Endpointing; errors of STT streaming) and the types of
 * `@deepgram/sdk` 5.13.
 */
export const deepgram: Vendor = {
  path: '/v1/listen',
  habits: { emitMs: 100, lagMs: 100, endpointMs: undefined },
  keyOf: deepgramKey,
  subprotocol: (offered) => offered.find((name) => name === 'token' || name === 'bearer'),
  refusal: deepgramRefusal,
  check({ query }) {
    const encoding = query.get('encoding');
    const rateHz = Number(query.get('sample_rate') ?? 0);
    const bad = (err_msg: string) => ({ ...deepgramRefusal(400), body: deepgramError('Bad Request', err_msg) });
    if (encoding !== 'linear16') return bad(`this emulator hears encoding=linear16, not ${encoding}`);
    if (!(rateHz >= 8000)) return bad('sample_rate is required with encoding');
    if ((query.get('channels') ?? '1') !== '1') return bad('this emulator hears one channel');
    return undefined;
  },
  open: (line, request) => new DeepgramWire(line, request),
};

/** `Authorization: Token KEY`, `Bearer JWT`, or the offered subprotocols `token, KEY`. */
export function deepgramKey(request: VendorRequest): string | undefined {
  const { offered } = request;
  const browser = offered.findIndex((name) => name === 'token' || name === 'bearer');
  return keyAfter(/^(token|bearer)$/i, request) ?? (browser < 0 ? undefined : offered[browser + 1]);
}

/** HTTP errors have a code, a sentence and the request's id, the last in a header too. */
export function deepgramRefusal(status: number) {
  const [code, sentence] = sentences[status] ?? ['INTERNAL_SERVER_ERROR', 'Something went wrong.'];
  const body = deepgramError(code, sentence);
  return { status, headers: { 'dg-request-id': body.request_id, 'dg-error': sentence }, body };
}

const sentences: Record<number, readonly [code: string, sentence: string]> = {
  400: ['Bad Request', 'Bad Request'],
  401: ['INVALID_AUTH', 'Invalid credentials.'],
  402: ['ASR_PAYMENT_REQUIRED', 'Project does not have enough credits for an ASR request.'],
  403: ['INSUFFICIENT_PERMISSIONS', 'User does not have sufficient permissions.'],
  404: ['NOT_FOUND', 'Not found.'],
  429: ['TOO_MANY_REQUESTS', 'Too many requests. Please try again later'],
  503: ['SERVICE_UNAVAILABLE', 'The service is currently unavailable.'],
};

function deepgramError(err_code: string, err_msg: string) {
  return { err_code, err_msg, request_id: randomUUID() };
}

class DeepgramWire {
  readonly #line: Line;
  readonly #recogniser: Recogniser;
  readonly #wantsInterim: boolean;
  readonly #requestId = randomUUID();
  #idle: NodeJS.Timeout;

  constructor(line: Line, { query }: VendorRequest) {
    this.#line = line;
    this.#wantsInterim = query.get('interim_results') === 'true';
    const wantsSpeech = query.get('vad_events') === 'true';
    const endpointing = query.get('endpointing');
    this.#recogniser = line.recogniser({
      rateHz: Number(query.get('sample_rate')),
      ...(endpointing === null || Number.isNaN(Number(endpointing)) ? {} : { endpointMs: Number(endpointing) }),
      onSaid: (said) => this.#said(said),
      onSpeech: (state, atMs) => {
        if (wantsSpeech && state === 'began') line.say({ type: 'SpeechStarted', channel: [0], timestamp: atMs / 1000 });
      },
    });
    this.#idle = this.#awaitSound();
  }

  text(text: string): void {
    this.#idle.refresh();
    const { type } = JSON.parse(text) as { type: string };
    if (type === 'Finalize') this.#recogniser.finish('asked');
    else if (type === 'CloseStream') this.#over();
    else if (type !== 'KeepAlive') {
      this.#line.close(1008, `DATA-0000: unknown message type ${type}`);
    }
  }

  binary(bytes: Buffer): void {
    this.#idle.refresh();
    // Deepgram takes an empty message for the end of the stream.
    if (bytes.length === 0) this.#over();
    else this.#line.sound(bytes);
  }

  fail(): void {
    const description = 'The service ran into a problem that it cannot recover from';
    this.#line.say({ type: 'Error', description, message: 'internal', variant: 'Internal' });
    this.#line.close(1011, `NET-0000: ${description}`);
  }

  closed(): void {
    clearTimeout(this.#idle);
  }

  /** Ten seconds without sound or KeepAlive end the stream. */
  #awaitSound(): NodeJS.Timeout {
    const reason = 'NET-0001: Deepgram did not receive audio data or a text message within the timeout window';
    return setTimeout(() => this.#line.close(1011, reason), 10_000);
  }

  #over(): void {
    this.#recogniser.finish('closed');
    this.#line.say({
      type: 'Metadata',
      transaction_key: 'deprecated',
      request_id: this.#requestId,
      sha256: '0'.repeat(64),
      created: new Date(0).toISOString(),
      duration: this.#recogniser.heardMs / 1000,
      channels: 1,
    });
    this.#line.close(1000, '');
  }

  #said(said: Said): void {
    if (said.is === 'partial' && !this.#wantsInterim) return;
    const words = said.words.map(({ text, startMs, endMs }) => ({
      word: text.toLowerCase(),
      start: startMs / 1000,
      end: endMs / 1000,
      confidence: 0.99,
      punctuated_word: text,
    }));
    const transcript = said.words.map(({ text }) => text).join(' ');
    this.#line.answer(said, {
      type: 'Results',
      channel_index: [0, 1],
      duration: (said.coversMs - said.startMs) / 1000,
      start: said.startMs / 1000,
      is_final: said.is === 'final',
      speech_final: said.is === 'final' && said.reason === 'endpoint',
      channel: { alternatives: [{ transcript, confidence: 0.99, words }] },
      metadata: {
        request_id: this.#requestId,
        model_info: { name: 'general-nova-3', version: '2025-04-17.21547', arch: 'nova-3' },
        model_uuid: '00000000-0000-0000-0000-000000000000',
      },
      from_finalize: said.is === 'final' && said.reason === 'asked',
    });
  }
}
