import type { Dialect, Heard, Speaker } from './dialect.ts';
import { EncodedSound } from './sound.ts';

/** What a dialect in code does wrong in a session that says nothing; undefined for a good one. */
export function whatGoesWrong(dialect: Dialect): string | undefined {
  const { sampleRateHz, messageMs } = dialect.audio;
  const session = { sampleRateHz, language: 'en-US', reference: { text: 'check' }, session: 'check' };
  const silence = { pcm: new Uint8Array(2 * Math.ceil((sampleRateHz * messageMs) / 1000)), sampleRateHz };
  let doing = 'connect';
  try {
    if (!isObject(dialect.connect(session))) return 'connect gives no object';
    doing = 'speaker';
    const speaker = dialect.speaker(session);
    if (!isObject(speaker)) return 'speaker gives no object';
    if (typeof speaker.readyAtOnce !== 'boolean') return 'speaker(...).readyAtOnce is neither true nor false';
    const lacks = [...methods, 'audio', 'heard'].find((name) => typeof speaker[name as 'audio'] !== 'function');
    if (lacks) return `speaker(...).${lacks} is no function`;
    const says: Record<(typeof methods)[number], () => unknown> = {
      opened: () => speaker.opened(),
      utteranceOver: () => speaker.utteranceOver(),
      next: () => speaker.next(session.reference),
      quiet: () => speaker.quiet(1000),
      close: () => speaker.close(),
    };
    for (const name of methods) {
      doing = `speaker(...).${name}`;
      if (!Array.isArray(says[name]())) return `${doing} gives no list of messages`;
      // Sound comes between the opening and the end.
      if (name !== 'opened') continue;
      doing = 'speaker(...).audio';
      speaker.audio(new EncodedSound(silence, dialect.audio, messageMs), 0);
    }
  } catch (cause) {
    return `${doing} throws: ${firstLine(cause)}`;
  }
  return undefined;
}

/** In the order of a session. */
const methods = ['opened', 'utteranceOver', 'next', 'quiet', 'close'] as const;

/** The same dialect, to which a message is not understood that its code cannot read. */
export function guarded(dialect: Dialect): Dialect {
  const { name, audio, tells, connectionFor } = dialect;
  return {
    name,
    audio,
    tells,
    ...(connectionFor && { connectionFor }),
    connect: (session) => dialect.connect(session),
    speaker: (session) => new GuardedSpeaker(dialect.speaker(session)),
  };
}

class GuardedSpeaker implements Speaker {
  readonly #own: Speaker;

  constructor(own: Speaker) {
    this.#own = own;
  }

  get readyAtOnce(): boolean {
    return this.#own.readyAtOnce;
  }

  opened() {
    return this.#own.opened();
  }

  audio(sound: EncodedSound, index: number) {
    return this.#own.audio(sound, index);
  }

  utteranceOver() {
    return this.#own.utteranceOver();
  }

  next(reference: Parameters<Speaker['next']>[0]) {
    return this.#own.next(reference);
  }

  quiet(ms: number) {
    return this.#own.quiet(ms);
  }

  unanswered() {
    return this.#own.unanswered?.();
  }

  close() {
    return this.#own.close();
  }

  heard(message: string | Uint8Array): readonly Heard[] {
    try {
      const heard = this.#own.heard(message);
      if (Array.isArray(heard) && heard.every(isObject)) return heard;
      return [{ is: 'not understood', problem: 'heard gives no list of what it heard' }];
    } catch (cause) {
      return [{ is: 'not understood', problem: `heard throws: ${firstLine(cause)}` }];
    }
  }
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null;
}

/** What was thrown, in a line. */
export function firstLine(cause: unknown): string {
  return cause instanceof Error ? cause.message.split('\n', 1)[0]! : `${cause}`;
}
