import type { Samples } from '../../acoustic/engine/types.ts';
import { copyS16 } from '../../audio/pcm.ts';
import type { BackendError, Hearing, HearingEvents, HearingText } from '../../backends/backend.ts';
import type { WordResult } from '../../protocol/result.ts';
import type { Limits } from '../limits.ts';
import { phoneScoresOf } from './phone-scores.ts';
import type { SessionRoute, Writer } from './route.ts';
import { UtteranceText, type WrittenText } from './utterance-text.ts';
import type { SessionWitness, UtteranceWitness } from './witness.ts';

export type TranscriptionOptions = {
  route: SessionRoute;
  sampleRateHz: number;
  /** Whether the own model scores the session, and can write what nobody else does. */
  scoresPhones: boolean;
  limits: Pick<Limits, 'retainedSoundMs' | 'transcriptWaitMs'>;
  /** Nobody writes the transcript any more; called once each time that this comes to be. */
  onLost(message: string): void;
};

/**
 * The transcript of one session, whoever writes it. Where the policy names another backend, that
 * hears the session's sound; when it fails the next of its chain hears it from the beginning of the
 * utterances that have no final text, and their texts go on where they were.
 */
export class Transcription {
  readonly #options: TranscriptionOptions;
  readonly #witness: SessionWitness | undefined;
  readonly #witnessed = new Map<UtteranceText, UtteranceWitness>();
  /** The utterances that have no final text, in order; with the numbers that the hearing has. */
  #unfinished: UtteranceText[] = [];
  #numbers = new Map<UtteranceText, number>();
  #begun = 0;
  #open: UtteranceText | undefined;
  #writer: Writer | undefined;
  #isLost = false;
  #isClosed = false;
  /** Rises with each hearing: what an earlier one says is not heard. */
  #generation = 0;

  constructor(options: TranscriptionOptions) {
    this.#options = options;
    this.#witness = options.route.witness(options.sampleRateHz);
    if (options.route.backend.kind === 'local') this.#hear();
  }

  /** What writes now, by its name in the policy. */
  get backend(): string {
    return this.#writer?.name ?? this.#options.route.backend.name;
  }

  get scoresPhones(): boolean {
    return this.#options.scoresPhones;
  }

  begin(at: { startMs: number; reference: string; onRevision(text: WrittenText): void }): UtteranceText {
    const { sampleRateHz, limits, route } = this.#options;
    const text: UtteranceText = new UtteranceText({
      ...at,
      sampleRateHz,
      retainedMs: limits.retainedSoundMs,
      onOver: () => this.#over(text),
    });
    this.#open = text;
    if (this.#witness) this.#witnessed.set(text, this.#witness.begin(at.reference));
    if (this.#writer?.kind === 'local') {
      text.leaveToLocal(this.#writer.name);
      return text;
    }
    this.#unfinished = [...this.#unfinished.filter((one) => !one.isFinal), text];
    if (this.#isLost && route.restart()) this.#isLost = false;
    if (this.#isLost) return text;
    if (this.#writer) {
      this.#numbers.set(text, this.#begun++);
      this.#writer.hearing.next(text.reference);
    } else this.#hear();
    return text;
  }

  /** Sound of the utterance that is open. */
  push(samples: Samples, startMs: number): void {
    const { route, sampleRateHz } = this.#options;
    if (!this.#open) return;
    this.#witness?.push(samples, startMs);
    if (this.#writer) route.heard((samples.length / sampleRateHz) * 1000);
    if (this.#writer?.kind === 'local') return;
    const pcm = copyS16(samples);
    this.#open.sound.add({ pcm, startMs });
    this.#writer?.hearing.push(pcm, startMs);
  }

  /** What the learner is told of an utterance at last, and the words with their phones. */
  told(
    text: UtteranceText,
    { text: written = '', backend = this.backend }: { text?: string; backend?: string },
    words: readonly WordResult[],
  ): void {
    const witness = this.#witnessed.get(text);
    witness?.told(text.isGivenUp ? undefined : written, backend, phoneScoresOf(words));
    this.#witnessed.delete(text);
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#witness?.close();
    this.#generation += 1;
    if (this.#writer?.kind === 'managed') this.#writer.hearing.close();
    for (const text of this.#unfinished) {
      // A learner who is gone says nothing of whoever writes.
      if (!text.isFinal) this.#witnessed.delete(text);
      text.giveUp(this.backend);
    }
    this.#options.route.end();
  }

  #over(text: UtteranceText): void {
    const { route, limits } = this.#options;
    if (this.#open === text) this.#open = undefined;
    this.#witnessed.get(text)?.over();
    route.meter();
    if (text.isFinal) return;
    if (this.#isLost) text.giveUp(this.backend);
    else if (this.#writer?.kind === 'managed') this.#writer.hearing.utteranceOver();
    if (text.isFinal) return;
    const timer = setTimeout(() => this.#waitedInVain(text), limits.transcriptWaitMs);
    timer.unref();
    void text.over().then(() => clearTimeout(timer));
  }

  /** The final of the scores has waited long enough for its text. */
  #waitedInVain(text: UtteranceText): void {
    const { transcriptWaitMs } = this.#options.limits;
    text.giveUp(this.backend);
    this.#options.onLost(`the transcript was waited for ${transcriptWaitMs} ms (transcript_wait_ms); the scores go on`);
  }

  /** Begins to be heard where the route is now, from the beginning of what has no final text. */
  #hear(): void {
    const { route, sampleRateHz, limits } = this.#options;
    this.#generation += 1;
    this.#unfinished = this.#unfinished.filter((text) => !text.isFinal);
    const [first] = this.#unfinished;
    const deadlineMs = Math.round(limits.transcriptWaitMs * firstShare);
    const input = { sampleRateHz, reference: first?.reference, deadlineMs };
    this.#writer = route.open(input, this.#events(), () => this.#giveWay());
    if (this.#writer.kind === 'local') this.#leaveToLocal(this.#writer.name);
    else this.#replay(this.#writer.hearing);
  }

  #replay(hearing: Hearing): void {
    const { route, sampleRateHz } = this.#options;
    this.#numbers = new Map(this.#unfinished.map((text, number) => [text, number]));
    this.#begun = this.#unfinished.length;
    for (const [number, text] of this.#unfinished.entries()) {
      if (number > 0) hearing.next(text.reference);
      for (const { pcm, startMs } of text.sound.pieces()) {
        hearing.push(pcm, startMs);
        route.heard((pcm.length / sampleRateHz) * 1000);
      }
      if (text.isOver) hearing.utteranceOver();
    }
  }

  #events(): HearingEvents {
    const generation = this.#generation;
    const isThis = (): boolean => generation === this.#generation && !this.#isClosed;
    return {
      onReady() {},
      onText: (text) => {
        if (isThis()) this.#revise(text);
      },
      onError: (error) => {
        if (isThis()) this.#fail(error);
      },
    };
  }

  #revise(text: HearingText): void {
    for (const [utterance, number] of this.#numbers)
      if (number === text.utterance) {
        utterance.revise(text, this.backend);
        if (text.isFinal) this.#numbers.delete(utterance);
        return;
      }
  }

  #giveWay(): void {
    this.#fail({ class: 'rate', message: 'a learner needed the place of a session that can wait' });
  }

  #fail(error: BackendError): void {
    const { route, scoresPhones } = this.#options;
    this.#generation += 1;
    if (this.#writer?.kind === 'managed') this.#writer.hearing.close();
    for (const text of this.#unfinished) text.changeWriter();
    const canGoOn = route.fallBack(error);
    this.#writer = undefined;
    if (canGoOn) this.#goOn();
    else if (scoresPhones) this.#leaveToLocal(localName);
    else this.#lose();
  }

  /** Between two utterances the next one opens what it is heard by. */
  #goOn(): void {
    if (this.#unfinished.some((text) => !text.isFinal)) this.#hear();
  }

  #leaveToLocal(name: string): void {
    this.#writer = { name, kind: 'local' };
    for (const text of this.#unfinished) text.leaveToLocal(name);
    this.#unfinished = [];
    this.#numbers.clear();
  }

  #lose(): void {
    this.#isLost = true;
    for (const text of this.#unfinished) if (text.isOver) text.giveUp(this.backend);
    this.#options.onLost('no backend writes the transcript any more');
  }
}

/** The own model where the policy has no name for it in this session's chain. */
const localName = 'local';

/** The part of the wait for a final text that its first backend has; the rest is for the next. */
const firstShare = 0.6;
