import type { Dialect, Heard, HeardError, ReferenceText, SessionInput, Speaker } from './dialect.ts';
import { type JsonObject, objectAt, objectIn, textAt } from './json.ts';
import { OpenaiSpeaker, VllmSpeaker } from './openai-speakers.ts';
import { base64Between, type EncodedSound, type Outgoing, type SoundFormat } from './sound.ts';

export type OpenaiRealtimeOptions = {
  /** As `gpt-4o-transcribe`, or the model that vLLM serves. */
  model: string | undefined;
  /**
   * The prompt of the transcription; `{reference}` in it is what the learner reads, as `speechfb
   * serve` asks for it, and is told anew for each utterance.
   */
  prompt?: string | undefined;
  /** Undefined: 24 kHz for OpenAI, 16 kHz for vLLM. */
  sampleRateHz: number | undefined;
  /** `none`: the app says when an utterance is over, which is how a reader of a text does. */
  turnDetection: 'none' | 'server_vad' | 'semantic_vad';
};

/**
 * Transcription sessions of OpenAI's realtime protocol (developers.openai.com: Realtime
 * transcription, client events, server events; the names of its general release), and of vLLM's
 * (vllm/entrypoints/openai/realtime): base64 PCM in JSON up, deltas of text down. Which of the two
 * answers shows in the first event: OpenAI's `session.created` brings the session, vLLM's does not.
 */
export function openaiRealtime(options: OpenaiRealtimeOptions): Dialect {
  const format: SoundFormat = {
    encoding: 'pcm_s16le',
    sampleRateHz: options.sampleRateHz ?? openaiHz,
    messageMs: 20,
    message: base64Between('{"type":"input_audio_buffer.append","audio":"', '"}'),
  };
  const forVllm = options.sampleRateHz === undefined ? { ...format, sampleRateHz: vllmHz } : format;
  return {
    name: 'openai-realtime',
    audio: format,
    tells: { reach: 'words', partials: true },
    connect: () => ({ path: '/v1/realtime', query: { intent: 'transcription' }, subprotocols: [] }),
    speaker: (session) => new RealtimeSpeaker(options, session, forVllm),
  };
}

/** "Only a 24kHz sample rate is supported", and what vLLM's models are fed with as it is. */
const openaiHz = 24_000;
const vllmHz = 16_000;

/** Waits for the first event, and is then a speaker of the flavour that it shows. */
class RealtimeSpeaker implements Speaker {
  readonly readyAtOnce = false;
  readonly #options: OpenaiRealtimeOptions;
  readonly #session: SessionInput;
  readonly #forVllm: SoundFormat;
  #flavour: Flavour | undefined;

  constructor(options: OpenaiRealtimeOptions, session: SessionInput, forVllm: SoundFormat) {
    this.#options = options;
    this.#session = session;
    this.#forVllm = forVllm;
  }

  opened(): readonly Outgoing[] {
    return none;
  }

  audio(sound: EncodedSound, index: number): Outgoing | undefined {
    return this.#flavour?.audio(sound, index);
  }

  utteranceOver(): readonly Outgoing[] {
    return this.#flavour?.utteranceOver() ?? none;
  }

  next(reference: ReferenceText): readonly Outgoing[] {
    return this.#flavour?.next(reference) ?? none;
  }

  quiet(): readonly Outgoing[] {
    return none;
  }

  /** Neither has a word for it: the app closes. */
  close(): readonly Outgoing[] {
    return none;
  }

  heard(message: string | Uint8Array): readonly Heard[] {
    const event = objectIn(message);
    if ('problem' in event) return [{ is: 'not understood', problem: `${event.problem}` }];
    if (event.type === 'error') return this.#error(event);
    if (this.#flavour) return this.#flavour.heard(event);
    if (event.type !== 'session.created' && event.type !== 'transcription_session.created')
      return [{ is: 'not understood', problem: `${shownType(event)} before session.created` }];
    this.#flavour =
      'session' in event
        ? new OpenaiSpeaker(this.#options, this.#session)
        : new VllmSpeaker(this.#options.model, this.#forVllm);
    return this.#flavour.begun();
  }

  #error(event: JsonObject): readonly Heard[] {
    const error = errorOf(event);
    const empty = error.code === 'input_audio_buffer_commit_empty' ? this.#flavour?.emptyCommit?.() : undefined;
    return empty ?? [error];
  }
}

/** What the two have in common. */
type Flavour = Pick<Speaker, 'audio' | 'utteranceOver'> & {
  begun(): readonly Heard[];
  next(reference: ReferenceText): readonly Outgoing[];
  heard(event: JsonObject): readonly Heard[];
  emptyCommit?(): readonly Heard[];
};

const none: readonly Outgoing[] = [];

/** OpenAI puts an object in `error`; vLLM the words, and the code beside them. */
function errorOf(event: JsonObject): HeardError {
  const inner = objectAt(event, 'error');
  const message = textAt(inner, 'message') ?? textAt(event, 'error') ?? 'an error without words';
  const code = textAt(inner, 'code') ?? textAt(event, 'code') ?? textAt(inner, 'type');
  return { is: 'error', message, ...(code !== undefined && { code }) };
}

function shownType({ type }: JsonObject): string {
  return type === undefined ? 'an event without a type' : `an event of type ${JSON.stringify(type).slice(0, 80)}`;
}
