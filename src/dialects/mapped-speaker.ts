import type { Heard, HeardText, ReferenceText, Speaker } from './dialect.ts';
import {
  errorBy,
  leadsNowhere,
  type Message,
  matches,
  meets,
  messageOf,
  type ReadByRule,
  readBy,
  unmatched,
} from './mapped-rules.ts';
import type { MappingSpec, MappingStep, Rule } from './mapping-schema.ts';
import { valueAt } from './pointer.ts';
import { EncodedSound, type Outgoing, type SoundFormat } from './sound.ts';
import { filledIn, type Variables } from './variables.ts';

/** One utterance: where it lies in the sound, whether its end was said, and its text so far. */
type Utterance = { beginMs: number; over: boolean; settled: string; segment: string; hadFinal: boolean };

/** Speaks as a mapping says. */
export class MappedSpeaker implements Speaker {
  readonly readyAtOnce: boolean;
  readonly #spec: MappingSpec;
  readonly #format: SoundFormat;
  #variables: Variables;
  /** The step of `open` that is next. */
  #step = 0;
  #ready = false;
  #sentMs = 0;
  readonly #utterances: Utterance[] = [];
  /** Utterances that have had their final. */
  #finals = 0;
  /** Where one answer comes to each message: how far each that waits for its answer reaches. */
  readonly #unanswered: { coversMs: number; ends: boolean }[] = [];

  /** No final ends an utterance, but the end of the stream that the app has half closed. */
  readonly #endsWithStream: boolean;

  constructor(spec: MappingSpec, format: SoundFormat, variables: Variables) {
    this.#spec = spec;
    this.#format = format;
    this.#variables = variables;
    this.#endsWithStream = spec.utteranceOver.some(({ halfClose }) => halfClose);
    this.readyAtOnce =
      !spec.open.some((step) => step.await !== undefined) && !spec.receive.some(({ is }) => is === 'ready');
  }

  opened(): readonly Outgoing[] {
    const first = this.#goOn();
    if (!this.readyAtOnce) return first;
    return [...first, ...this.#begin()];
  }

  audio(sound: EncodedSound, index: number): Outgoing {
    this.#sentMs += sound.frameMs;
    this.#unanswered.push({ coversMs: this.#sentMs, ends: false });
    return sound.at(index);
  }

  utteranceOver(): readonly Outgoing[] {
    const utterance = this.#utterances.at(-1);
    if (!utterance || utterance.over) return [];
    utterance.over = true;
    return this.#say(this.#spec.utteranceOver, true);
  }

  next({ text }: ReferenceText): readonly Outgoing[] {
    const last = this.utteranceOver();
    this.#variables = { ...this.#variables, reference: text };
    return [...last, ...this.#begin()];
  }

  quiet(ms: number): readonly Outgoing[] {
    const { keepAlive } = this.#spec;
    return keepAlive && ms >= keepAlive.every ? this.#say([keepAlive], false) : [];
  }

  close(): readonly Outgoing[] {
    return this.#say(this.#spec.close, false);
  }

  heard(given: string | Uint8Array): readonly Heard[] {
    if (typeof given !== 'string') return [{ is: 'not understood', problem: this.#binary }];
    const message = messageOf(given);
    const awaited = this.#spec.open[this.#step]?.await;
    if (awaited !== undefined && meets(message, awaited)) return this.#awaited();
    const place = this.#spec.receive.findIndex((rule) => matches(rule, message));
    const rule = this.#spec.receive[place];
    if (!rule) return [{ is: 'not understood', problem: unmatched(message) }];
    return this.#taken(rule, place, message);
  }

  #taken(rule: Rule, place: number, message: Message): readonly Heard[] {
    if (rule.is === 'error') return [errorBy(rule, message)];
    const answered = this.#spec.reach === 'replies' ? this.#unanswered.shift() : undefined;
    if (rule.is === 'nothing') return nothing;
    if (rule.is === 'ready') return this.#awaited();
    const before = this.#endBefore(rule, message);
    const current = this.#utterances[this.#finals];
    const read = readBy(rule, message, current?.beginMs ?? 0);
    if ('nowhere' in read) return [{ is: 'not understood', problem: leadsNowhere(place, read.nowhere) }];
    const coversMs = answered?.coversMs ?? read.coversMs;
    if (rule.is === 'ack') return [{ is: 'ack', coversMs: coversMs! }];
    if (!current)
      return read.text?.trim() ? [{ is: 'not understood', problem: 'text, and no utterance waits for any' }] : nothing;
    const over = rule.is === 'final' && current.over && this.#ends(rule, answered?.ends);
    const shown = show(current, rule, read);
    const heard: HeardText = {
      is: over ? 'final' : 'partial',
      utterance: this.#finals,
      ...shown,
      ...(coversMs !== undefined && { coversMs }),
      ...(read.words && { words: read.words }),
    };
    if (over) this.#finals += 1;
    return before ? [before, heard] : [heard];
  }

  /**
   * What new text has to say of an utterance before: its end was not answered, all of it is final,
   * and the next one is being spoken.
   */
  #endBefore(rule: Rule, { value }: Message): HeardText | undefined {
    const next = this.#utterances[this.#finals + 1];
    if (rule.is !== 'partial' || !next || this.#sentMs === next.beginMs) return undefined;
    const text = rule.text && valueAt(value, rule.text);
    return text === '' ? undefined : this.unanswered();
  }

  unanswered(): HeardText | undefined {
    return this.#endsWithStream ? undefined : this.#allSettled();
  }

  ended(): HeardText | undefined {
    return this.#endsWithStream ? this.#allSettled() : undefined;
  }

  /** The final of an utterance that is over, and of which all that was heard is settled. */
  #allSettled(): HeardText | undefined {
    const current = this.#utterances[this.#finals];
    if (!current?.over || !current.hadFinal || current.segment !== '') return undefined;
    const { settled: text } = current;
    return { is: 'final', utterance: this.#finals++, text, settled: text.length };
  }

  get #binary(): string {
    return this.#spec.grpc ? 'bytes that are none of its messages' : 'a binary message, where a text was due';
  }

  /**
   * Whether a final that came after the utterance was over ends it: none where the stream ends with
   * it; those alone that say so, where any does; the answer to its end, where each message has one;
   * else any.
   */
  #ends(rule: Rule, answersEnd: boolean | undefined): boolean {
    if (this.#endsWithStream) return false;
    if (this.#spec.receive.some(({ ends }) => ends)) return rule.ends === true;
    return this.#spec.reach === 'replies' ? answersEnd === true : true;
  }

  /** The message that `open` waited for, or that means ready. */
  #awaited(): readonly Heard[] {
    if (this.#ready) return nothing;
    this.#step += 1;
    const send = this.#goOn();
    if (this.#step < this.#spec.open.length) return send.length === 0 ? nothing : [{ is: 'answer', send }];
    this.#ready = true;
    return [{ is: 'answer', send: [...send, ...this.#begin()] }, { is: 'ready' }];
  }

  /** What `open` sends until it waits for something. */
  #goOn(): Outgoing[] {
    const sends: Outgoing[] = [];
    for (; this.#step < this.#spec.open.length; this.#step++) {
      const { send } = this.#spec.open[this.#step]!;
      if (send === undefined) break;
      sends.push(this.#written(send));
    }
    return sends;
  }

  #begin(): readonly Outgoing[] {
    this.#utterances.push({ beginMs: this.#sentMs, over: false, settled: '', segment: '', hadFinal: false });
    return this.#say(this.#spec.utteranceBegin, false);
  }

  /** `ends`: the answer to the last of them, where there is one to each, ends the utterance. */
  #say(steps: readonly Partial<MappingStep>[], ends: boolean): Outgoing[] {
    const messages = steps.flatMap(({ send, silence, halfClose }): Outgoing[] => {
      if (halfClose) return [{ halfClose }];
      return send === undefined ? this.#silence(silence ?? 0) : [this.#written(send)];
    });
    if (ends && messages.length > 0) this.#unanswered.push({ coversMs: this.#sentMs, ends: true });
    return messages;
  }

  #written(message: unknown): string {
    const filled = filledIn(message, this.#variables);
    return typeof message === 'string' ? `${filled}` : JSON.stringify(filled);
  }

  #silence(ms: number): Outgoing[] {
    const { messageMs } = this.#format;
    const count = Math.ceil(ms / messageMs);
    this.#sentMs += count * messageMs;
    return Array.from({ length: count }, () => silenceOf(this.#format));
  }
}

const nothing: readonly Heard[] = [{ is: 'nothing' }];

/** Puts what a rule read into the utterance's text, and tells how much of that is settled. */
function show(utterance: Utterance, rule: Rule, { text, words }: ReadByRule): Pick<HeardText, 'text' | 'settled'> {
  const shown = text ?? words?.map((word) => word.text).join(' ');
  const final = rule.is === 'final';
  if (shown !== undefined && rule.textIs === 'whole') {
    utterance.settled = final ? shown : '';
    utterance.segment = final ? '' : shown;
  } else if (shown !== undefined) {
    utterance.segment = rule.textIs === 'delta' ? utterance.segment + shown : shown;
  }
  const whole = joined(utterance.settled, utterance.segment);
  if (final) {
    utterance.hadFinal = true;
    utterance.settled = whole;
    utterance.segment = '';
  }
  return { text: whole, settled: settledOf(utterance, words, whole) };
}

/** Characters that will not change: of segments that are final, and of the words that are. */
function settledOf({ settled, segment }: Utterance, words: ReadByRule['words'], whole: string): number {
  if (segment === '' || !words) return settled.length;
  const open = words.findIndex(({ final }) => !final);
  const firm = words.slice(0, open < 0 ? words.length : open).map(({ text }) => text);
  const text = joined(settled, firm.join(' '));
  return whole.startsWith(text) ? text.length : settled.length;
}

function joined(before: string, text: string): string {
  const [one, other] = [before.trim(), text.trim()];
  return one === '' || other === '' ? `${one}${other}` : `${one} ${other}`;
}

/** One message of silence; made once for all who send it. */
function silenceOf(format: SoundFormat): Outgoing {
  let message = silences.get(format);
  if (message === undefined) {
    const pcm = new Uint8Array((format.sampleRateHz * format.messageMs * 2) / 1000);
    message = new EncodedSound({ pcm, sampleRateHz: format.sampleRateHz }, format, format.messageMs).at(0);
    silences.set(format, message);
  }
  return message;
}

const silences = new WeakMap<SoundFormat, Outgoing>();
