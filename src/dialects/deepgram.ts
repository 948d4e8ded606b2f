import type { Dialect, Heard, HeardText, HeardWord, ReferenceText, Speaker } from './dialect.ts';
import { isObject, itemsAt, type JsonObject, numberAt, objectAt, objectIn, textAt } from './json.ts';
import type { EncodedSound, Outgoing } from './sound.ts';

/**
 * Query parameters of `/v1/listen`, as `model: nova-3`; those that we need are ours. A `reference`
 * of `{reference}` is what the learner reads, as `speechfb serve` asks for it; `Configure` tells
 * the next.
 */
export type DeepgramOptions = { sampleRateHz: number; query: Readonly<Record<string, string>> };

/**
 * Deepgram's live transcription, version 1 (developers.deepgram.com: Live Audio, KeepAlive,
 * Finalize, CloseStream, Understanding Interim Results): raw 16-bit PCM up, `Results` down, each of
 * which says what stretch of the sound it is about. `Finalize` ends an utterance, and the answer to
 * it has `from_finalize`.
 */
export function deepgram({ sampleRateHz, query }: DeepgramOptions): Dialect {
  return {
    name: 'deepgram',
    audio: { encoding: 'pcm_s16le', sampleRateHz, messageMs: 20 },
    tells: { reach: 'field', partials: true },
    connect: ({ language, reference }) => ({
      path: '/v1/listen',
      query: {
        interim_results: 'true',
        language,
        ...query,
        ...(tellsReference(query) && { reference: reference.text }),
        encoding: 'linear16',
        sample_rate: `${sampleRateHz}`,
        channels: '1',
      },
      subprotocols: [],
    }),
    speaker: () => new DeepgramSpeaker(tellsReference(query)),
  };
}

/** One utterance: where its sound ends, once that is known, and what is settled of its text. */
type Utterance = { endMs: number; coversMs: number; finalizing: boolean; settled: string; open: boolean };

class DeepgramSpeaker implements Speaker {
  readonly readyAtOnce = true;
  readonly #tellsReference: boolean;
  #sentMs = 0;
  /** Utterances begun; the first `#over` of them have had their last words. */
  readonly #utterances: Utterance[] = [newUtterance()];
  #over = 0;

  constructor(tellsReference: boolean) {
    this.#tellsReference = tellsReference;
  }

  opened(): readonly Outgoing[] {
    return none;
  }

  audio(sound: EncodedSound, index: number): Outgoing {
    this.#sentMs += sound.frameMs;
    return sound.at(index);
  }

  utteranceOver(): readonly Outgoing[] {
    const utterance = this.#utterances.at(-1)!;
    if (utterance.finalizing) return none;
    utterance.finalizing = true;
    utterance.endMs = this.#sentMs;
    return finalize;
  }

  next({ text }: ReferenceText): readonly Outgoing[] {
    const last = this.utteranceOver();
    this.#utterances.push(newUtterance());
    return this.#tellsReference ? [...last, JSON.stringify({ type: 'Configure', reference: text })] : last;
  }

  unanswered(): HeardText | undefined {
    const utterance = this.#utterances[this.#over];
    if (!utterance?.finalizing || utterance.open) return undefined;
    // What it has heard to its end without a word has had its last one too.
    if (utterance.settled === '' && utterance.coversMs < utterance.endMs - slackMs) return undefined;
    const { settled: text } = utterance;
    return { is: 'final', utterance: this.#over++, text, settled: text.length };
  }

  /** "Send a KeepAlive message every 3-5 seconds": after 10 s without one, it closes. */
  quiet(ms: number): readonly Outgoing[] {
    return ms >= keepAliveMs ? keepAlive : none;
  }

  close(): readonly Outgoing[] {
    return closeStream;
  }

  heard(message: string | Uint8Array): readonly Heard[] {
    const value = objectIn(message);
    if ('problem' in value) return [{ is: 'not understood', problem: `${value.problem}` }];
    switch (value.type) {
      case 'Results':
        return this.#results(value);
      case 'Error':
        return [errorOf(value)];
      case 'Metadata':
      case 'SpeechStarted':
      case 'UtteranceEnd':
      case 'Warning':
        return nothing;
      default:
        return [typeof value.err_code === 'string' ? errorOf(value) : unknown(value)];
    }
  }

  #results(value: JsonObject): readonly Heard[] {
    const startMs = msOf(value, 'start');
    const lengthMs = msOf(value, 'duration');
    const alternative = itemsAt(objectAt(value, 'channel'), 'alternatives')[0];
    const text = isObject(alternative) ? textAt(alternative, 'transcript') : undefined;
    if (startMs === undefined || lengthMs === undefined || !isObject(alternative) || text === undefined)
      return [{ is: 'not understood', problem: 'Results without start, duration or a transcript' }];
    const coversMs = startMs + lengthMs;
    const before = this.#unansweredBefore(startMs);
    const utterance = this.#utterances[this.#over];
    if (!utterance) return before;
    const settles = value.is_final === true;
    const whole = joined(utterance.settled, text);
    utterance.coversMs = coversMs;
    if (settles) utterance.settled = whole;
    utterance.open = !settles && text !== '';
    const over =
      utterance.finalizing && settles && (value.from_finalize === true || coversMs >= utterance.endMs - slackMs);
    const heard: HeardText = {
      is: over ? 'final' : 'partial',
      utterance: this.#over,
      text: whole,
      settled: utterance.settled.length,
      coversMs,
      words: wordsOf(alternative, settles),
    };
    if (over) this.#over += 1;
    return before.length === 0 ? [heard] : [...before, heard];
  }

  /**
   * Sound from behind the end of an utterance that no answer ended: `Finalize` is answered "when
   * there is a noticeable amount of audio buffered", and else had nothing more to say.
   */
  #unansweredBefore(startMs: number): Heard[] {
    const ended: Heard[] = [];
    for (;;) {
      const utterance = this.#utterances[this.#over];
      if (!utterance?.finalizing || startMs < utterance.endMs - slackMs || this.#over === this.#utterances.length - 1)
        return ended;
      const { settled: text } = utterance;
      ended.push({ is: 'final', utterance: this.#over, text, settled: text.length });
      this.#over += 1;
    }
  }
}

function tellsReference({ reference }: DeepgramOptions['query']): boolean {
  return reference === '{reference}';
}

const none: readonly Outgoing[] = [];
const finalize: readonly Outgoing[] = ['{"type":"Finalize"}'];
const keepAlive: readonly Outgoing[] = ['{"type":"KeepAlive"}'];
const closeStream: readonly Outgoing[] = ['{"type":"CloseStream"}'];
const nothing: readonly Heard[] = [{ is: 'nothing' }];
const keepAliveMs = 4000;
/** Times come rounded, and the model's own frames are 10 ms and more. */
const slackMs = 25;

function newUtterance(): Utterance {
  return { endMs: Number.POSITIVE_INFINITY, coversMs: 0, finalizing: false, settled: '', open: false };
}

function joined(before: string, text: string): string {
  return before === '' || text === '' ? `${before}${text}` : `${before} ${text}`;
}

function msOf(value: JsonObject, key: string): number | undefined {
  const seconds = numberAt(value, key);
  return seconds === undefined ? undefined : seconds * 1000;
}

function wordsOf(alternative: JsonObject, final: boolean): HeardWord[] {
  return itemsAt(alternative, 'words').flatMap((word) => {
    const text = isObject(word) ? textAt(word, 'word') : undefined;
    if (!isObject(word) || text === undefined) return [];
    const endMs = msOf(word, 'end');
    return [endMs === undefined ? { text, final } : { text, endMs, final }];
  });
}

/** Errors of the stream, and those of the upgrade's body, which has other names for the same. */
function errorOf(value: JsonObject): Heard {
  const message = ['description', 'err_msg', 'message'].map((key) => textAt(value, key)).find((one) => one);
  const code = ['variant', 'code', 'err_code'].map((key) => textAt(value, key)).find((one) => one);
  return { is: 'error', message: message ?? 'an error without words', ...(code !== undefined && { code }) };
}

function unknown({ type }: JsonObject): Heard {
  return {
    is: 'not understood',
    problem: type === undefined ? 'a message without a type' : `a message of type ${JSON.stringify(type).slice(0, 60)}`,
  };
}
