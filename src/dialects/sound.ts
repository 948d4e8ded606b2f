import { fromS16le, type Pcm, toF32le, toS16le } from '../audio/pcm.ts';
import { resample } from '../audio/resampler.ts';
import { toMulaw } from './mulaw.ts';

/**
 * A message to the server: a string is a text message, bytes are a binary one, `text` is a text
 * message in UTF-8 that many sessions send. None of them is changed by who sends it.
 */
export type OutgoingMessage = string | Uint8Array | { readonly text: Uint8Array };

/**
 * What a dialect wants done: a message sent, or, over gRPC, the app's half of the stream closed.
 */
export type Outgoing = OutgoingMessage | { readonly halfClose: true };

/** How samples go over the wire: little-endian, mono; `mulaw` is G.711. */
const encodings = ['pcm_s16le', 'pcm_f32le', 'mulaw'] as const;
type Encoding = (typeof encodings)[number];

export type SoundFormat = {
  encoding: Encoding;
  /** Samples a second; recordings are brought to it. */
  sampleRateHz: number;
  /** Sound in one message where the scenario does not say, ms. */
  messageMs: number;
  /** The message that carries these encoded samples: a binary one of just them by default. */
  message?(samples: Uint8Array): OutgoingMessage;
};

/**
 * A recording as messages of one dialect. Each is made once, when it is first sent, and sent by all
 * learners who read the recording, so that no learner pays for base64 or JSON. The last one is
 * filled up with silence.
 */
export class EncodedSound {
  /** Messages, the one that was filled up included. */
  readonly count: number;
  /** Length of one message as it is encoded, before it is wrapped. */
  readonly bytesAFrame: number;
  readonly frameMs: number;
  readonly #recording: Pcm;
  readonly #format: SoundFormat;
  /** Made when it is first needed: a server may want another format than was thought. */
  #samples: Uint8Array | undefined;
  readonly #messages: (OutgoingMessage | undefined)[] = [];
  readonly #others = new Map<SoundFormat, EncodedSound>();

  /** `frameMs`: sound in one message; it must hold a whole number of samples. */
  constructor(recording: Pcm, format: SoundFormat, frameMs: number) {
    this.#recording = recording;
    this.#format = format;
    this.frameMs = frameMs;
    this.bytesAFrame = ((format.sampleRateHz * frameMs) / 1000) * sampleBytes[format.encoding];
    this.count = Math.ceil(recording.pcm.length / ((recording.sampleRateHz * frameMs * 2) / 1000));
  }

  /** Length of one message as it is sent. */
  get messageBytes(): number {
    const message = this.at(0);
    if (typeof message === 'string') return Buffer.byteLength(message);
    return 'text' in message ? message.text.length : message.length;
  }

  /** The same recording in another format; the same object each time. */
  as(format: SoundFormat): EncodedSound {
    if (format === this.#format) return this;
    let other = this.#others.get(format);
    if (!other) {
      other = new EncodedSound(this.#recording, format, this.frameMs);
      this.#others.set(format, other);
    }
    return other;
  }

  /** The message of frame `index`; the same object each time. */
  at(index: number): OutgoingMessage {
    let message = this.#messages[index];
    if (message === undefined) {
      const samples = this.samples(index);
      message = this.#format.message?.(samples) ?? samples;
      this.#messages[index] = message;
    }
    return message;
  }

  /** The encoded samples of frame `index`. */
  samples(index: number): Uint8Array {
    this.#samples ??= encoded(this.#recording, this.#format);
    const frame = this.#samples.subarray(index * this.bytesAFrame, (index + 1) * this.bytesAFrame);
    if (frame.length === this.bytesAFrame) return frame;
    const padded = new Uint8Array(this.bytesAFrame).fill(silence[this.#format.encoding]);
    padded.set(frame);
    return padded;
  }
}

/** A wrapper for `SoundFormat.message`: base64 between two parts of a JSON text. */
export function base64Between(before: string, after: string): (samples: Uint8Array) => OutgoingMessage {
  return (samples) => {
    const { buffer, byteOffset, byteLength } = samples;
    return { text: Buffer.from(`${before}${Buffer.from(buffer, byteOffset, byteLength).toString('base64')}${after}`) };
  };
}

const sampleBytes: Readonly<Record<Encoding, number>> = { pcm_s16le: 2, pcm_f32le: 4, mulaw: 1 };
/** The byte that silence is made of; in mu-law all bits of a zero are set. */
const silence: Readonly<Record<Encoding, number>> = { pcm_s16le: 0, pcm_f32le: 0, mulaw: 0xff };

function encoded({ pcm, sampleRateHz }: Pcm, format: SoundFormat): Uint8Array {
  if (sampleRateHz === format.sampleRateHz && format.encoding === 'pcm_s16le') return pcm;
  const samples = resample(fromS16le(pcm), sampleRateHz, format.sampleRateHz);
  if (format.encoding === 'pcm_f32le') return toF32le(samples);
  return format.encoding === 'mulaw' ? toMulaw(samples) : toS16le(samples);
}
