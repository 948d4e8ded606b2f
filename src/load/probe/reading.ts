import type { Dialect, Heard } from '../../dialects/dialect.ts';
import { type MetricName, metrics } from '../../metrics/definitions.ts';
import { quantileOfSorted } from '../../stats/quantile.ts';
import { type SpokenText, spokenText } from '../meter/spoken-text.ts';
import { TextWatch } from '../meter/text-watch.ts';
import { unmeasurable } from '../scenario/measurable.ts';
import type { ProbeMessage } from './play.ts';

/** The clip that is played, and what is known of it. */
export type ProbeClip = {
  text: string;
  language: string;
  soundMs: number;
  speechBeginMs: number;
  /** Where its words end; absent where nobody knows. */
  words?: readonly { text: string; endMs: number | undefined }[];
};

/** One message as it is shown to people, times from the first sample on. */
export type ProbeLine = {
  atMs: number;
  is: Heard['is'];
  /** Its text, or what is wrong with it, in words. */
  says: string;
  coversMs?: number;
  /** How long after the sound that it is about it came, ms. */
  behindMs?: number;
  raw: string | Uint8Array;
};

/** When one word of the text ends, was shown, and was shown for good; Infinity: never. */
export type ProbeWord = { text: string; endMs: number | undefined; firstMs: number; finalMs: number };

export type ProbeSummary = {
  /** Messages by what they were taken for. */
  counts: Partial<Record<Heard['is'], number>>;
  words: readonly ProbeWord[];
  /** From the end of a word to its first showing; undefined where word ends are not known. */
  wordLatency: { p50Ms: number; maxMs: number } | undefined;
  firstPartialMs: number | undefined;
  /** Undefined: no final came. */
  finalLatencyMs: number | undefined;
  /** Undefined without a final. */
  wer: { wrong: number; spoken: number } | undefined;
  measurable: readonly MetricName[];
  unmeasurable: readonly { metric: MetricName; why: string }[];
};

/** Reads the messages of a probe as they come. */
export class ProbeReading {
  readonly #clip: ProbeClip;
  readonly #dialect: Dialect;
  readonly #spoken: SpokenText;
  readonly #watch: TextWatch;
  readonly #counts: Partial<Record<Heard['is'], number>> = {};
  #firstPartialMs: number | undefined;
  #finalMs: number | undefined;

  constructor(clip: ProbeClip, dialect: Dialect) {
    this.#clip = clip;
    this.#dialect = dialect;
    this.#spoken = spokenText(clip);
    this.#watch = new TextWatch(this.#spoken);
  }

  /** A message that means several things is as many. */
  add({ atMs, raw, heard }: ProbeMessage): ProbeLine[] {
    return heard.map((one) => {
      this.#counts[one.is] = (this.#counts[one.is] ?? 0) + 1;
      return { atMs, is: one.is, raw, ...this.#read(one, atMs) };
    });
  }

  summary(): ProbeSummary {
    const names = Object.keys(metrics) as MetricName[];
    const whys = names.map((metric) => ({ metric, why: unmeasurable(metric, this.#dialect) }));
    const words = this.#words();
    const latencies = words.flatMap(({ endMs, firstMs }) =>
      endMs === undefined ? [] : [Math.max(0, firstMs - endMs)],
    );
    const sorted = latencies.sort((a, b) => a - b);
    const { errors: wrong, spoken } = this.#watch;
    return {
      counts: this.#counts,
      words,
      wordLatency: sorted.length === 0 ? undefined : { p50Ms: quantileOfSorted(sorted, 0.5), maxMs: sorted.at(-1)! },
      firstPartialMs:
        this.#firstPartialMs === undefined ? undefined : Math.max(0, this.#firstPartialMs - this.#clip.speechBeginMs),
      finalLatencyMs: this.#finalMs === undefined ? undefined : Math.max(0, this.#finalMs - this.#clip.soundMs),
      wer: this.#finalMs === undefined ? undefined : { wrong, spoken },
      measurable: whys.flatMap(({ metric, why }) => (why === undefined ? [metric] : [])),
      unmeasurable: whys.flatMap(({ metric, why }) => (why === undefined ? [] : [{ metric, why }])),
    };
  }

  #read(heard: Heard, atMs: number): Pick<ProbeLine, 'says' | 'coversMs' | 'behindMs'> {
    switch (heard.is) {
      case 'partial':
      case 'final':
        return this.#readText(heard, atMs);
      case 'ack':
        return { says: '', coversMs: heard.coversMs, behindMs: atMs - heard.coversMs };
      case 'error':
        return { says: heard.code === undefined ? heard.message : `${heard.code}: ${heard.message}` };
      case 'not understood':
        return { says: heard.problem };
      default:
        return { says: '' };
    }
  }

  #readText(heard: Extract<Heard, { text: string }>, atMs: number): Pick<ProbeLine, 'says' | 'coversMs' | 'behindMs'> {
    const { text, settled, coversMs, is } = heard;
    const isFinal = is === 'final';
    if (this.#finalMs !== undefined) return { says: text };
    const fresh = this.#watch.see(text, settled, isFinal, atMs);
    if (text.trim() !== '') this.#firstPartialMs ??= atMs;
    if (isFinal) this.#finalMs = atMs;
    const ends = fresh.flatMap((word) => this.#spoken.endsMs[word] ?? []);
    const aboutMs = isFinal ? this.#clip.soundMs : (coversMs ?? (ends.length > 0 ? Math.max(...ends) : undefined));
    return {
      says: text,
      ...(coversMs !== undefined && { coversMs }),
      ...(aboutMs !== undefined && { behindMs: atMs - aboutMs }),
    };
  }

  #words(): ProbeWord[] {
    const { tokens, wordOf, endsMs } = this.#spoken;
    return endsMs.map((endMs, place) => ({
      text: tokens.filter((_, token) => wordOf[token] === place).join(' '),
      endMs,
      firstMs: this.#watch.firstMs(place),
      finalMs: this.#watch.finalMs(place),
    }));
  }
}
