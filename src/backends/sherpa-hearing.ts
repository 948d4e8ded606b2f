import type { Hearing, HearingEvents, HearingInput, HearingWord } from './backend.ts';
import { HearingGate } from './hearing-gate.ts';
import type { SherpaNews, SherpaTask } from './sherpa/messages.ts';

type Told = Extract<SherpaNews, { is: 'text' }>;

export type SherpaHearingOptions = {
  name: string;
  input: HearingInput;
  on: HearingEvents;
  ask(task: DistributiveOmit<SherpaTask, 'id'>): void;
  onOver(): void;
};

type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;

/** One session at the process of sherpa-onnx. */
export class SherpaHearing implements Hearing {
  readonly #options: SherpaHearingOptions;
  readonly #gate: HearingGate;
  #utterance = 0;
  #endedUtterances = 0;
  /** Where each utterance begins on the session's clock, ms. */
  readonly #beginsMs: (number | undefined)[] = [];
  /** Sound that the process has not told to have heard, ms. */
  #behindMs = 0;
  /** Sound of the open utterance that it has told to have heard, ms. */
  #heardMs = 0;

  constructor(options: SherpaHearingOptions) {
    const { on, input, ask, onOver } = options;
    this.#options = options;
    this.#gate = new HearingGate(on, () => {
      ask({ do: 'close' });
      onOver();
    });
    ask({ do: 'open', sampleRateHz: input.sampleRateHz });
  }

  ready(): void {
    this.#gate.ready();
  }

  fail(message: string): void {
    this.#gate.fail({ class: 'fault', message });
  }

  told({ text, isFinal, tokens, heardMs }: Told): void {
    this.#behindMs = Math.max(0, this.#behindMs - (heardMs - this.#heardMs));
    this.#heardMs = isFinal ? 0 : heardMs;
    const utterance = this.#gate.finals;
    const beginMs = this.#beginsMs[utterance];
    const settled = isFinal ? text.length : 0;
    const words = beginMs === undefined ? [] : wordsOf(tokens, beginMs, beginMs + heardMs, isFinal);
    this.#gate.text({
      utterance,
      text,
      settled,
      isFinal,
      ...(words.length > 0 && { words }),
      ...(beginMs !== undefined && { coversMs: beginMs + heardMs }),
    });
  }

  push(pcm: Int16Array | Float32Array, startMs: number): void {
    if (this.#gate.over) return;
    this.#beginsMs[this.#utterance] ??= startMs;
    this.#behindMs += (pcm.length / this.#options.input.sampleRateHz) * 1000;
    if (this.#behindMs > mostBehindMs) {
      this.#gate.failSoon({ class: 'fault', message: `${this.#options.name} is a minute behind what was said` });
      return;
    }
    const samples = pcm instanceof Int16Array ? Float32Array.from(pcm, (sample) => sample / 32_768) : pcm.slice();
    this.#options.ask({ do: 'hear', samples });
  }

  utteranceOver(): void {
    if (this.#gate.over || this.#endedUtterances > this.#utterance) return;
    this.#endedUtterances += 1;
    this.#options.ask({ do: 'end' });
  }

  next(): void {
    if (this.#gate.over) return;
    this.utteranceOver();
    this.#utterance += 1;
  }

  close(): void {
    this.#gate.close();
  }
}

/** Sound that waits for the process, or changes nothing of what it has told. */
const mostBehindMs = 60_000;

/** Words of their tokens; one ends where the next begins, as the model tells beginnings alone. */
function wordsOf(tokens: Told['tokens'], beginMs: number, endMs: number, isFinal: boolean): HearingWord[] {
  const words: { text: string; startMs: number }[] = [];
  for (const { text, startMs } of tokens) {
    const begins = /^[\s▁]/.test(text);
    const last = words.at(-1);
    if (begins || !last) words.push({ text: text.replace(/^[\s▁]+/, ''), startMs });
    else last.text += text;
  }
  return words
    .filter(({ text }) => text !== '')
    .map(({ text }, index, all) => ({
      text,
      endMs: Math.min(endMs, beginMs + (all[index + 1]?.startMs ?? Number.POSITIVE_INFINITY)),
      isFinal,
    }));
}
