import type { Script, ScriptFault } from '../routing/policy/script.ts';
import type { Hearing, HearingEvents, HearingInput, HearingText, HearingWord } from './backend.ts';
import { HearingGate } from './hearing-gate.ts';
import type { Time } from './time.ts';

export type ScriptedHearingOptions = {
  name: string;
  input: HearingInput;
  script: Script;
  time: Time;
  /** The fault of a kind that hits this session now. */
  faultNow(kind: ScriptFault['kind']): ScriptFault | undefined;
  on: HearingEvents;
  onOver(): void;
};

/** What is said once so much sound of the utterance was heard. */
type Line = { atMs: number; text: string };

/** One session at a scripted backend. */
export class ScriptedHearing implements Hearing {
  readonly session: string;
  readonly #options: ScriptedHearingOptions;
  readonly #gate: HearingGate;
  #lines: readonly Line[];
  #said = 0;
  #utterance = 0;
  #over = false;
  #ignored = false;
  #heardMs = 0;
  #endMs = 0;
  /** What is said goes out in order. */
  #dueMs: number;
  readonly #cancels = new Set<() => void>();

  constructor(options: ScriptedHearingOptions) {
    const { input, on, onOver, time } = options;
    this.session = input.session;
    this.#options = options;
    this.#lines = this.#linesOf(input.reference);
    this.#dueMs = time.now();
    this.#gate = new HearingGate(on, () => {
      for (const cancel of this.#cancels) cancel();
      onOver();
    });
  }

  begin(): void {
    const { name, faultNow } = this.#options;
    const refusal = faultNow('refuse');
    this.#ignored = faultNow('ignore') !== undefined;
    this.#later(() => {
      if (refusal) {
        const { as, retryAfter } = refusal;
        const wait = retryAfter === undefined ? {} : { retryAfterMs: retryAfter };
        this.#gate.fail({ class: as, message: `${name}: refuses the session by its script`, ...wait });
      } else if (!this.#ignored) this.#gate.ready();
    });
  }

  push(pcm: Int16Array | Float32Array, startMs: number): void {
    if (this.#gate.over) return;
    const ms = (pcm.length / this.#options.input.sampleRateHz) * 1000;
    this.#heardMs += ms;
    this.#endMs = startMs + ms;
    const before = this.#said;
    while (this.#said < this.#lines.length && this.#lines[this.#said]!.atMs <= this.#heardMs) this.#said += 1;
    if (this.#said > before) this.#say(false);
  }

  utteranceOver(): void {
    if (this.#gate.over || this.#over) return;
    this.#over = true;
    this.#say(true);
  }

  next(reference?: string): void {
    if (this.#gate.over) return;
    this.utteranceOver();
    this.#utterance += 1;
    this.#over = false;
    this.#said = 0;
    this.#heardMs = 0;
    this.#lines = this.#linesOf(reference);
  }

  close(): void {
    this.#gate.close();
  }

  cut(): void {
    this.#gate.fail({ class: 'fault', message: `${this.#options.name}: cuts the session by its script` });
  }

  #linesOf(reference = ''): readonly Line[] {
    const { says, word } = this.#options.script;
    if (says) return says.map(({ at, text }) => ({ atMs: at, text }));
    const words = reference.split(/\s+/).filter((one) => one !== '');
    return words.map((_, index) => ({ atMs: (index + 1) * word, text: words.slice(0, index + 1).join(' ') }));
  }

  #say(isFinal: boolean): void {
    const { name, faultNow } = this.#options;
    const text = this.#lines[this.#said - 1]?.text ?? '';
    const shown: HearingText = {
      utterance: this.#utterance,
      text,
      settled: isFinal ? text.length : 0,
      isFinal,
      words: this.#wordsOf(text, isFinal),
      coversMs: this.#endMs,
    };
    this.#later(() => {
      if (this.#ignored || faultNow('hang')) return;
      if (faultNow('rubbish')) this.#gate.fail({ class: 'fault', message: `${name}: says what nobody understands` });
      else this.#gate.text(shown);
    }, faultNow('slow')?.by);
  }

  /** Words end evenly apart, up to where the sound is. */
  #wordsOf(text: string, isFinal: boolean): HearingWord[] {
    const words = text.split(/\s+/).filter((one) => one !== '');
    const beginMs = this.#endMs - this.#heardMs;
    return words.map((word, index) => ({
      text: word,
      endMs: beginMs + (this.#heardMs * (index + 1)) / words.length,
      isFinal,
    }));
  }

  #later(then: () => void, slowMs = 0): void {
    const { script, time } = this.#options;
    this.#dueMs = Math.max(this.#dueMs, time.now() + script.delay + slowMs);
    const cancel = time.at(this.#dueMs, () => {
      this.#cancels.delete(cancel);
      then();
    });
    this.#cancels.add(cancel);
  }
}
