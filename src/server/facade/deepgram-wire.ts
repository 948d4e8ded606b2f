import { createHash, randomUUID } from 'node:crypto';
import type { ReferenceInput } from '../../protocol/client-messages.ts';
import type { WireErrorCode } from '../../protocol/codes.ts';
import type { SessionSocket } from '../session/session-options.ts';
import { BareSound } from './bare-sound.ts';
import { badReference, type DeepgramQuery } from './deepgram-query.ts';
import { type LiveResult, resultsText } from './deepgram-results.ts';
import { type EventOf, headOf, pronunciationOf, utteranceOf } from './events.ts';
import { SegmentedSpeech } from './segmented-speech.ts';
import { foreignStart } from './start.ts';
import type { Meant, Wire } from './wire.ts';

/**
 * A client of Deepgram's live API. One reference is one utterance: `Finalize`, or a pause behind
 * the last word, ends it, and the sound that follows is the next. A pause within it ends a segment.
 * Each feedback event is an interim result whose `start` and `duration` reach as far as the sound
 * is scored.
 */
export class DeepgramWire implements Wire {
  readonly #query: DeepgramQuery;
  readonly #frames: BareSound;
  readonly #hash = createHash('sha256');
  readonly #requestId = randomUUID();
  readonly #readings = new Map<number, SegmentedSpeech>();
  #socket: SessionSocket | undefined;
  #act: (meant: readonly Meant[]) => void = () => {};
  #utterance = 1;
  #isOpen = true;
  /** What `Configure` said is read next, before the list of the URL goes on. */
  #wished: string | undefined;
  #model = { name: 'unknown', version: '0' };
  /** The place of the last word of the first text; of others nobody tells. */
  #lastWordIndex = Number.POSITIVE_INFINITY;
  #text = '';
  /** Pauses that may end a segment, the oldest first; the last one may go on. */
  #pauses: { fromMs: number; toMs: number }[] = [];
  #endedWordMs = Number.NEGATIVE_INFINITY;
  /** Feedback that has not been told yet, as it was written, and its reading. */
  #fresh: { reading: SegmentedSpeech; feedback: string | undefined } | undefined;
  #failure: { code: WireErrorCode; message: string } | undefined;

  constructor(query: DeepgramQuery) {
    this.#query = query;
    this.#frames = new BareSound(query.sampleRateHz);
  }

  attach(socket: SessionSocket, act: (meant: readonly Meant[]) => void): SessionSocket {
    this.#socket = socket;
    this.#act = act;
    return {
      write: (text) => this.#event(text),
      unsentBytes: () => socket.unsentBytes(),
      close: (code, reason) => this.#close(code, reason),
    };
  }

  open(): readonly Meant[] {
    const { sampleRateHz, language } = this.#query;
    this.#readings.set(1, new SegmentedSpeech(0));
    const start = { rateHz: sampleRateHz, language, reference: this.#reference(), granularity: 'phoneme' } as const;
    return [{ message: foreignStart(start) }];
  }

  isSound(_data: Buffer, isBinary: boolean): boolean {
    return isBinary;
  }

  hear(data: Buffer, isBinary: boolean): readonly Meant[] {
    if (!isBinary) return this.#control(data.toString('utf8'));
    // An empty message ends the stream.
    if (data.length === 0) return [{ message: { type: 'close' } }];
    this.#hash.update(data);
    const next = this.#isOpen ? [] : this.#next();
    const frame = this.#frames.frame(data);
    return frame ? [...next, { frame }] : next;
  }

  #control(text: string): readonly Meant[] {
    const control = readControl(text);
    switch (control?.type) {
      case 'KeepAlive':
        return [{ message: { type: 'keep_alive' } }];
      case 'CloseStream':
        return [{ message: { type: 'close' } }];
      case 'Finalize':
        return this.#finalize();
      case 'Configure':
        return this.#configure(control.reference);
    }
    return notUnderstood;
  }

  #configure(reference: unknown): readonly Meant[] {
    if (typeof reference !== 'string') return notUnderstood;
    const message = badReference(reference);
    if (message !== undefined) return [{ refusal: { code: 'invalid_reference', message } }];
    this.#wished = reference;
    return [];
  }

  #finalize(): readonly Meant[] {
    if (!this.#isOpen) {
      const atMs = this.#frames.ms;
      this.#results(new SegmentedSpeech(atMs), { words: [], isFinal: true, fromFinalize: true });
      return [];
    }
    this.#isOpen = false;
    return [{ message: { type: 'finalize', marker: 'asked' } }];
  }

  #next(): Meant[] {
    this.#isOpen = true;
    this.#utterance += 1;
    this.#readings.set(this.#utterance, new SegmentedSpeech(this.#frames.ms));
    return [{ message: { type: 'next_utterance', reference: this.#reference() } }];
  }

  #reference(): ReferenceInput {
    const { references } = this.#query;
    const text = this.#wished ?? references[this.#utterance - 1] ?? references.at(-1)!;
    this.#wished = undefined;
    this.#text = text;
    return { text };
  }

  /** An event of the session, in the order in which they are written. */
  #event(text: string): void {
    const { type, audioMs } = headOf(text);
    switch (type) {
      case 'phoneme_feedback':
        this.#feedback(text, audioMs);
        break;
      case 'transcript':
        this.#transcript(JSON.parse(text));
        break;
      case 'utterance_final':
        this.#tell();
        this.#final(JSON.parse(text));
        break;
      case 'speech':
        this.#speech(JSON.parse(text));
        break;
      case 'ready':
        this.#ready(JSON.parse(text));
        break;
      case 'error':
        this.#tell();
        this.#error(JSON.parse(text));
        break;
    }
  }

  #feedback(text: string, audioMs: number): void {
    const reading = this.#readings.get(utteranceOf(text));
    if (!reading) return;
    this.#tell();
    reading.reaches(audioMs);
    this.#later({ reading, feedback: text.slice(text.indexOf('"phonemes":'), -1) });
  }

  #transcript(transcript: EventOf<'transcript'>): void {
    const reading = this.#readings.get(transcript.utterance_id);
    if (!reading) return;
    reading.revise(transcript);
    // The last one of an utterance stands before its final, which tells of it.
    if (transcript.is_final) return;
    if (this.#fresh?.reading !== reading) this.#later({ reading, feedback: undefined });
  }

  /** Words and phones of one moment are written one after the other, and told as one result. */
  #later(fresh: { reading: SegmentedSpeech; feedback: string | undefined }): void {
    this.#tell();
    this.#fresh = fresh;
    queueMicrotask(() => this.#tell());
  }

  #tell(): void {
    const fresh = this.#fresh;
    this.#fresh = undefined;
    if (!fresh) return;
    const { reading, feedback } = fresh;
    if (this.#query.wantsInterim) {
      this.#results(reading, { words: reading.words, isFinal: false, pronunciation: feedback && `{${feedback}}` });
    }
    this.#watchPause(reading);
    this.#watchGap(reading);
  }

  #final(final: EventOf<'utterance_final'>): void {
    const reading = this.#readings.get(final.utterance_id);
    this.#readings.delete(final.utterance_id);
    if (!reading) return;
    reading.reaches(final.audio_ms);
    this.#pauses = this.#pauses.filter(({ toMs }) => toMs > reading.coversMs);
    this.#results(reading, {
      words: reading.rest(final),
      isFinal: true,
      speechFinal: final.marker === 'pause',
      fromFinalize: final.marker === 'asked',
      pronunciation: JSON.stringify(pronunciationOf(final)),
    });
  }

  #speech({ state, at_ms }: EventOf<'speech'>): void {
    const last = this.#pauses.at(-1);
    if (state === 'ended') this.#pauses.push({ fromMs: at_ms, toMs: Number.POSITIVE_INFINITY });
    else if (last) last.toMs = at_ms;
    if (state === 'ended' || !this.#query.wantsSpeechStarted) return;
    this.#say({ type: 'SpeechStarted', channel: [0], timestamp: at_ms / 1000 });
  }

  /** Ends the segment, or the utterance when its last word has been read. */
  #watchPause(reading: SegmentedSpeech): void {
    const { endpointingMs } = this.#query;
    if (endpointingMs === undefined || !this.#isOpen || reading !== this.#readings.get(this.#utterance)) return;
    const [pause] = this.#pauses;
    if (!pause || reading.coversMs < Math.min(pause.toMs, pause.fromMs + endpointingMs)) return;
    if (pause.toMs - pause.fromMs < endpointingMs) {
      this.#pauses.shift();
      return;
    }
    if (this.#text === this.#query.references[0] && reading.hasRead(this.#lastWordIndex)) {
      this.#pauses.shift();
      this.#isOpen = false;
      queueMicrotask(() => this.#act([{ message: { type: 'finalize', marker: 'pause' } }]));
      return;
    }
    const words = reading.endSegment(pause.fromMs);
    if (!words) return;
    this.#pauses.shift();
    this.#results(reading, { words, isFinal: true, speechFinal: true });
    reading.startMs = reading.coversMs;
  }

  #watchGap(reading: SegmentedSpeech): void {
    const { utteranceEndMs } = this.#query;
    const endMs = reading.words.at(-1)?.end_ms;
    if (utteranceEndMs === undefined || endMs === undefined || endMs <= this.#endedWordMs) return;
    if (reading.coversMs - endMs < utteranceEndMs) return;
    this.#endedWordMs = endMs;
    this.#say({ type: 'UtteranceEnd', channel: [0, 1], last_word_end: endMs / 1000 });
  }

  #ready({ model, reference }: EventOf<'ready'>): void {
    this.#model = { name: model.name, version: model.version };
    this.#lastWordIndex = reference.words.length - 1;
  }

  #error({ code, message, retry_after_ms }: EventOf<'error'>): void {
    this.#failure = { code, message };
    this.#say({ type: 'Error', description: message, message: code, variant: code, retry_after_ms });
  }

  /** A stream that was not refused ends with what it was. */
  #close(code: number, reason: string): void {
    this.#tell();
    const socket = this.#socket!;
    if (this.#failure) {
      const { close, prefix } = closings[this.#failure.code] ?? { close: 1011, prefix: 'NET-0000' };
      socket.close(close, `${prefix}: ${this.#failure.message}`);
      return;
    }
    this.#say({
      type: 'Metadata',
      transaction_key: 'deprecated',
      request_id: this.#requestId,
      sha256: this.#hash.copy().digest('hex'),
      created: new Date().toISOString(),
      duration: this.#frames.ms / 1000,
      channels: 1,
    });
    socket.close(code, reason);
  }

  #results(reading: SegmentedSpeech, results: Pick<LiveResult, 'words' | 'isFinal'> & Partial<LiveResult>): void {
    const { startMs, coversMs, stability, backend } = reading;
    const of = { requestId: this.#requestId, model: this.#model, startMs, coversMs, stability, backend };
    this.#socket?.write(resultsText({ ...of, ...results }));
  }

  #say(message: object): void {
    this.#socket?.write(JSON.stringify(message));
  }
}

const notUnderstood: readonly Meant[] = [
  {
    refusal: {
      code: 'invalid_message',
      message: 'text messages are KeepAlive, Finalize, CloseStream, or Configure with a reference, in JSON',
    },
  },
];

/** Deepgram's close codes: what the client sent (DATA), or what became of the connection (NET). */
const closings: Partial<Record<WireErrorCode, { close: number; prefix: string }>> = {
  invalid_message: { close: 1008, prefix: 'DATA-0000' },
  invalid_frame: { close: 1008, prefix: 'DATA-0000' },
  invalid_reference: { close: 1008, prefix: 'DATA-0000' },
  unsupported_audio: { close: 1008, prefix: 'DATA-0000' },
  protocol_order: { close: 1008, prefix: 'DATA-0000' },
  too_large: { close: 1008, prefix: 'DATA-0000' },
  too_fast: { close: 1008, prefix: 'DATA-0000' },
  rate_limited: { close: 1008, prefix: 'TOO_MANY_REQUESTS' },
  session_too_long: { close: 1008, prefix: 'NET-0000' },
  idle_timeout: { close: 1011, prefix: 'NET-0001' },
  server_busy: { close: 1013, prefix: 'SERVICE_UNAVAILABLE' },
};

function readControl(text: string): { type?: unknown; reference?: unknown } | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}
