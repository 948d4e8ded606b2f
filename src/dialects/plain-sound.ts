import type { Dialect, Heard, Speaker } from './dialect.ts';
import type { EncodedSound, Outgoing } from './sound.ts';

/**
 * A server of which nothing is known: it gets 16-bit samples in binary messages of 100 ms, with
 * texts before and behind them, and whatever it says measures nothing.
 */
export function plainSound({
  sampleRateHz,
  first,
  last,
}: {
  sampleRateHz: number;
  first: readonly string[];
  last: readonly string[];
}): Dialect {
  return {
    name: 'plain sound',
    audio: { encoding: 'pcm_s16le', sampleRateHz, messageMs: 100 },
    tells: { reach: 'final', partials: false },
    connect: () => ({}),
    speaker: () => new PlainSpeaker(first, last),
  };
}

class PlainSpeaker implements Speaker {
  readonly readyAtOnce = true;
  readonly #first: readonly string[];
  readonly #last: readonly string[];

  constructor(first: readonly string[], last: readonly string[]) {
    this.#first = first;
    this.#last = last;
  }

  opened(): readonly Outgoing[] {
    return this.#first;
  }

  audio(sound: EncodedSound, index: number): Outgoing {
    return sound.at(index);
  }

  utteranceOver(): readonly Outgoing[] {
    return this.#last;
  }

  next(): readonly Outgoing[] {
    return [];
  }

  quiet(): readonly Outgoing[] {
    return [];
  }

  close(): readonly Outgoing[] {
    return [];
  }

  heard(): readonly Heard[] {
    return nothing;
  }
}

const nothing: readonly Heard[] = [{ is: 'nothing' }];
