import type { BackpressureLevel, ServerMessage } from '../../protocol/server-messages.ts';
import { type StageTimings, serverStages } from '../../protocol/stages.ts';
import type { AudioClock } from './audio-clock.ts';
import { EventLog } from './event-log.ts';
import { type FeedbackMessage, type PartialResult, PendingResults } from './pending.ts';

/**
 * A session's way out. Numbers events, logs those that a resume may ask for, and holds partial
 * results back while no socket is there or the socket's unsent bytes pile up: of each phone only
 * the newest record waits, so a provisional result may be overtaken but a final one is never lost.
 */
export class Outbox {
  readonly #options: OutboxOptions;
  readonly #log: EventLog;
  readonly #pending = new PendingResults();
  #sink: Sink | undefined;
  #lastEventId: number;
  #congestedSinceMs: number | undefined;
  #flushedMs = Number.NEGATIVE_INFINITY;

  constructor(options: OutboxOptions) {
    this.#options = options;
    this.#lastEventId = options.lastEventId ?? 0;
    this.#log = new EventLog({ keepMs: options.keepMs, maxBytes: options.maxReplayBytes });
  }

  get lastEventId(): number {
    return this.#lastEventId;
  }

  /** Whether a socket is there. */
  get isAttached(): boolean {
    return this.#sink !== undefined;
  }

  /** Whether partial results wait, or the socket's bytes do. */
  get waits(): boolean {
    return this.#congestedSinceMs !== undefined || this.#pending.size > 0;
  }

  /** An event that is never dropped. Without `audioMs` it is stamped with what has been read. */
  send(message: ServerMessage, audioMs?: number): void {
    if (message.type === 'utterance_final' || message.type === 'transcript') this.#flush();
    this.#emit(message, audioMs);
  }

  /** A `phoneme_feedback` or `transcript`: sent now or merged into what waits. */
  sendPartial(partial: PartialResult): void {
    this.#watchCongestion();
    this.#pending.merge(partial);
    if (this.#hasRoom() && this.#isDue()) this.#flush();
  }

  /** An event that only matters now (ack): skipped while congested or detached. */
  sendPassing(message: ServerMessage): void {
    if (this.#hasRoom()) this.#emit(message);
  }

  /** Sends through `sink` from here on. */
  attach(sink: Sink): void {
    this.#sink = sink;
    this.#congestedSinceMs = undefined;
    this.#pending.takeDropped();
  }

  /**
   * Sends to a newly attached sink: `opening` under `lastEventId`, then what came after that id,
   * then what waits.
   */
  replay(opening: ServerMessage, lastEventId: number): void {
    const { texts, truncated } = this.#log.after(lastEventId);
    this.#sink?.write(JSON.stringify({ event_id: lastEventId, audio_ms: round(this.#options.clock.ms), ...opening }));
    for (const text of texts) this.#sink?.write(text);
    if (truncated) this.#emit({ type: 'info', code: 'replay_truncated', message: truncatedText(lastEventId) });
    this.#flush();
  }

  detach(): void {
    this.#sink = undefined;
    this.#congestedSinceMs = undefined;
  }

  /** The client has read everything up to this event. */
  confirm(eventId: number): void {
    this.#log.confirm(eventId);
  }

  /** The sink has written something: sends what waited, when there is room. */
  drained(): void {
    this.#watchCongestion();
    if (this.#hasRoom() && this.#isDue()) this.#flush();
  }

  /** The server has taken a step for everybody, or taken it back. */
  announce(): void {
    if (this.#sink && this.#congestedSinceMs === undefined)
      this.#reportBackpressure(this.#options.level(), this.#sink.unsentBytes());
  }

  /** How long the sink has been congested, ms; 0 when it is not. */
  congestedForMs(nowMs: number): number {
    return this.#congestedSinceMs === undefined ? 0 : nowMs - this.#congestedSinceMs;
  }

  #hasRoom(): boolean {
    return this.#sink !== undefined && this.#congestedSinceMs === undefined;
  }

  /** Whether partial results may go now: at half rate they wait for the ones behind them. */
  #isDue(): boolean {
    return this.#options.now() - this.#flushedMs >= this.#options.apartMs();
  }

  #flush(): void {
    this.#flushedMs = this.#options.now();
    for (const partial of this.#pending.take()) this.#emitPartial(partial);
  }

  #emitPartial(partial: PartialResult): void {
    const { message, audioMs, producedMs, arrivedMs } = partial;
    const nowMs = this.#options.now();
    const timing = roundTimings(message.timing, nowMs - producedMs);
    this.#options.onPartial(message.type, timing, nowMs - arrivedMs, partial);
    if (message.type === 'transcript') this.#emit({ ...message, timing }, audioMs);
    else this.#emitFeedback(message, timing, audioMs);
  }

  /** Writes the event from parts, in the order of the others: its phones are written already. */
  #emitFeedback({ type, utterance_id, rev, phones }: FeedbackMessage, timing: StageTimings, audioMs: number): void {
    const id = this.#number(type);
    const isLogged = phones.marks.length > 0;
    if (!isLogged && !this.#sink) return;
    const head =
      `{"event_id":${id},"audio_ms":${round(audioMs)},"type":"${type}",` +
      `"utterance_id":${utterance_id},"rev":${rev},"phonemes":[`;
    const text = `${head}${phones.text}],"timing":${JSON.stringify(timing)}}`;
    const place = { utterance: utterance_id, marks: phones.marks, at: head.length };
    if (isLogged) this.#log.add({ id, text, phones: place }, this.#options.now());
    this.#sink?.write(text);
  }

  #emit(message: ServerMessage, audioMs = this.#options.clock.ms): void {
    const id = this.#number(message.type);
    const isLogged = isReplayed(message.type);
    if (!isLogged && !this.#sink) return;
    const text = JSON.stringify({ event_id: id, audio_ms: round(audioMs), ...message });
    const transcriptOf = message.type === 'transcript' ? message.utterance_id : undefined;
    if (isLogged) this.#log.add({ id, text, transcriptOf }, this.#options.now());
    this.#sink?.write(text);
  }

  /** The number of the next event. */
  #number(type: ServerMessage['type']): number {
    this.#lastEventId += 1;
    this.#options.onEvent(type, this.#lastEventId);
    return this.#lastEventId;
  }

  /** Enters congestion above the limit and leaves it below half of it. */
  #watchCongestion(): void {
    if (!this.#sink) return;
    const { congestedBytes } = this.#options;
    const unsent = this.#sink.unsentBytes();
    if (this.#congestedSinceMs === undefined && unsent > congestedBytes) {
      this.#congestedSinceMs = this.#options.now();
      this.#reportBackpressure('degraded', unsent);
    } else if (this.#congestedSinceMs !== undefined && unsent <= congestedBytes / 2) {
      this.#congestedSinceMs = undefined;
      this.#reportBackpressure(this.#options.level(), unsent);
    }
  }

  #reportBackpressure(level: BackpressureLevel, unsent: number): void {
    this.#emit({ type: 'backpressure', level, buffered_bytes: unsent, dropped: this.#pending.takeDropped() });
  }
}

export type Sink = {
  write(text: string): void;
  /** Bytes accepted by `write` and not yet by the network. */
  unsentBytes(): number;
};

export type OutboxOptions = {
  /** Events that another gateway has sent; absent: none. */
  lastEventId?: number | undefined;
  keepMs: number;
  /** Bytes of the events that a resume may ask for. */
  maxReplayBytes: number;
  congestedBytes: number;
  /** What the server spares everybody now. */
  level(): BackpressureLevel;
  /** How far apart partial results go out at least, ms. */
  apartMs(): number;
  now(): number;
  /** How much of the session's audio has been read. */
  clock: Pick<AudioClock, 'ms'>;
  /** Called with each event as it goes to the socket or the log. */
  onEvent(type: ServerMessage['type'], eventId: number): void;
  /**
   * Called with each partial result just before it goes out, and how long the server had its sound.
   */
  onPartial(
    type: PartialResult['message']['type'],
    timing: StageTimings,
    totalMs: number,
    partial: PartialResult,
  ): void;
};

/** Feedback with phones is, too. */
function isReplayed(type: ServerMessage['type']): boolean {
  return type === 'transcript' || type === 'speech' || type === 'utterance_final';
}

function truncatedText(eventId: number): string {
  return `events after ${eventId} were confirmed by an earlier socket, or were too many, and are no longer kept in full`;
}

function roundTimings(timing: StageTimings, emitMs: number): StageTimings {
  const rounded: StageTimings = {};
  for (const stage of serverStages) {
    const ms = stage === 'emit' ? emitMs : timing[stage];
    if (ms !== undefined) rounded[stage] = round(ms);
  }
  return rounded;
}

/** Microsecond steps: more digits than that are noise and bytes. */
function round(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}
