import type { Hearing, HearingEvents, HearingInput } from './backend.ts';
import type { BatchTranscriber } from './batch-transcriber.ts';
import { HearingGate } from './hearing-gate.ts';
import { SessionSound } from './sound/session-sound.ts';

export type BatchHearingOptions = {
  name: string;
  input: HearingInput;
  transcriber: BatchTranscriber;
  on: HearingEvents;
  onOver(): void;
};

/** What is known of one utterance: texts of its pieces, in order; an undefined one is to come. */
type Posted = { texts: (string | undefined)[]; over: boolean; coversMs: number };

/**
 * Keeps the sound of an utterance and posts it when it is over; what is longer than two minutes is
 * posted in pieces of two, whose texts are joined.
 */
export class BatchHearing implements Hearing {
  readonly #options: BatchHearingOptions;
  readonly #gate: HearingGate;
  readonly #sound: SessionSound;
  readonly #abort = new AbortController();
  #pieces: Uint8Array[] = [];
  #bytes = 0;
  /** Sound of utterances that is on its way to the server, bytes. */
  #postedBytes = 0;
  #utterance = 0;
  readonly #posted: Posted[] = [newPosted()];
  #endMs = 0;

  constructor(options: BatchHearingOptions) {
    const { input, on, onOver } = options;
    this.#options = options;
    this.#gate = new HearingGate(on, () => {
      this.#pieces = [];
      this.#abort.abort();
      onOver();
    });
    this.#sound = new SessionSound(input.sampleRateHz, batchHz);
    queueMicrotask(() => this.#gate.ready());
  }

  push(pcm: Int16Array | Float32Array, startMs: number): void {
    if (this.#gate.over) return;
    this.#keep(this.#sound.push(pcm, startMs));
    this.#endMs = startMs + (pcm.length / this.#options.input.sampleRateHz) * 1000;
    if (this.#bytes >= mostPieceBytes) this.#post();
  }

  utteranceOver(): void {
    const posted = this.#posted[this.#utterance]!;
    if (this.#gate.over || posted.over) return;
    posted.over = true;
    this.#keep(this.#sound.flush());
    if (this.#bytes > 0) this.#post();
    else queueMicrotask(() => this.#tell(this.#utterance));
  }

  next(): void {
    if (this.#gate.over) return;
    this.utteranceOver();
    this.#utterance += 1;
    this.#posted.push(newPosted());
  }

  close(): void {
    this.#gate.close();
  }

  #keep(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#pieces.push(bytes);
    this.#bytes += bytes.length;
  }

  #post(): void {
    const { name, input, transcriber } = this.#options;
    const pcm = Buffer.concat(this.#pieces);
    this.#pieces = [];
    this.#bytes = 0;
    if (this.#postedBytes + pcm.length > mostPostedBytes) {
      const message = `${name} transcribes too slowly: ten minutes of sound wait`;
      this.#gate.failSoon({ class: 'fault', message });
      return;
    }
    this.#postedBytes += pcm.length;
    const utterance = this.#utterance;
    const posted = this.#posted[utterance]!;
    const place = posted.texts.push(undefined) - 1;
    const { language, deadlineMs } = input;
    const wish = { pcm, sampleRateHz: batchHz, language, deadlineMs };
    void transcriber.transcribe(wish, this.#abort.signal).then((answer) => {
      this.#postedBytes -= pcm.length;
      if ('error' in answer) {
        this.#gate.fail(answer.error);
        return;
      }
      posted.texts[place] = answer.text;
      posted.coversMs = this.#endMs;
      this.#tell(utterance);
    });
  }

  /** Tells what can be told from this utterance on: finals come in turn. */
  #tell(from: number): void {
    for (let utterance = Math.max(from, this.#gate.finals); utterance === this.#gate.finals; utterance++) {
      const posted = this.#posted[utterance];
      if (!posted) return;
      const { texts, over, coversMs } = posted;
      const missing = texts.indexOf(undefined);
      const known = missing < 0 ? texts : texts.slice(0, missing);
      const isFinal = over && missing < 0;
      const text = known.filter((one) => one !== '').join(' ');
      if (isFinal || text !== '')
        this.#gate.text({ utterance, text, settled: text.length, isFinal, ...(texts.length > 0 && { coversMs }) });
      if (!isFinal || this.#gate.over) return;
      posted.texts = [];
    }
  }
}

/** What recognisers of speech are made for, whatever the session has. */
const batchHz = 16_000;
/** Two minutes. */
const mostPieceBytes = 120 * batchHz * 2;
const mostPostedBytes = 5 * mostPieceBytes;

function newPosted(): Posted {
  return { texts: [], over: false, coversMs: 0 };
}
