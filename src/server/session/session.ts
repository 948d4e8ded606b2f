import { setTimeout as wait } from 'node:timers/promises';
import type { ClientMessage, Lane, ReferenceInput, StartMessage } from '../../protocol/client-messages.ts';
import { closeCodes, wireErrors } from '../../protocol/codes.ts';
import type { AudioFrame } from '../../protocol/frame.ts';
import type { SavedSession } from '../../stores/session-store.ts';
import type { SessionTrace } from '../../telemetry/tracing/tracing.ts';
import type { KeptSession, MoveTo, SessionKeeper } from '../durable/kept-session.ts';
import { halfRateFrom, halfRateShare } from '../overload/ladder.ts';
import { LookSchedule } from '../overload/look-schedule.ts';
import { noteRefusal, type Refusal } from '../refusal.ts';
import { tracePartial, traceSession } from '../trace-session.ts';
import { Acknowledger } from './acknowledger.ts';
import { AudioClock } from './audio-clock.ts';
import type { ServerContext, WorkAccount } from './context.ts';
import { handleControl } from './controls.ts';
import { type HandOver, handOverOf } from './hand-over.ts';
import { type OpenText, openText } from './open-text.ts';
import { Outbox } from './outbox.ts';
import { errorMessage, readyMessage, slowReader } from './replies.ts';
import { modelOf, savedSession } from './saved-session.ts';
import { SessionAudio } from './session-audio.ts';
import { SessionEnd } from './session-end.ts';
import { newIdentity, type SessionOptions, type SessionSocket } from './session-options.ts';
import type { SessionSettings } from './utterance.ts';

export type SessionState = 'streaming' | 'detached' | 'ending';

/**
 * One learner's session. It outlives its socket: while none is there it goes on scoring what it
 * has, and a resume within `resumeTtlMs` takes it up again.
 *
 * Its parts know one another in one direction: clock <- outbox <- audio <- acknowledger and end <-
 * controls. Two calls go against it, each through one callback: a partial result takes an
 * acknowledgement along, and a failed utterance ends the session.
 */
export class Session implements KeptSession {
  readonly id: string;
  readonly resumeToken: string;
  readonly generation: number;
  readonly owner: string | undefined;
  readonly startedWith: StartMessage;
  /** Monotonic, ms. */
  readonly startedMs: number;
  readonly #context: ServerContext;
  readonly #work: WorkAccount;
  readonly #settings: SessionSettings;
  readonly #outbox: Outbox;
  readonly #audio: SessionAudio;
  readonly #acks: Acknowledger;
  readonly #end: SessionEnd;
  readonly #handOver: HandOver | undefined;
  readonly #onEnd: () => void;
  readonly #keeper: SessionKeeper | undefined;
  #isElsewhere = false;
  #isOver = false;
  /** Present while its client is on the way to another gateway. */
  #onGone: (() => void) | undefined;
  readonly #clock = new AudioClock();
  readonly #trace: SessionTrace | undefined;
  #socket: SessionSocket | undefined;
  #heardMs: number;
  #detachedMs: number;
  /** It was told to go, and has until then to say `close`. */
  #leaving: { refusal: Refusal; untilMs: number } | undefined;
  readonly #looks: LookSchedule;

  constructor({ context, start, text, work, owner, isResumable, identity, route, resumption, onEnd }: SessionOptions) {
    const { id, resumeToken, generation } = identity ?? newIdentity(context);
    this.id = id;
    this.resumeToken = resumeToken;
    this.generation = generation;
    this.owner = owner;
    this.#keeper = isResumable ? context.keeper : undefined;
    this.startedWith = start;
    this.#context = context;
    this.#work = work;
    this.#onEnd = onEnd;
    const { emit_interval_ms: emitIntervalMs, granularity } = start;
    this.#settings = resumption?.settings ?? { emitIntervalMs, granularity };
    this.startedMs = resumption?.startedMs ?? context.now();
    this.#trace = traceSession(context, this, start);
    this.#heardMs = context.awake();
    this.#looks = new LookSchedule(context.now());
    this.#detachedMs = this.#heardMs;
    const clock = this.#clock;
    const outbox = this.#createOutbox(clock, resumption?.lastEventId);
    const onError = (error: unknown): void => this.#end.failInternally(error);
    this.#handOver = isResumable ? handOverOf(context, this, this.#trace) : undefined;
    const common = { context, sessionId: this.id, outbox, handOver: this.#handOver };
    const audio = new SessionAudio({
      ...{ ...common, start, text, route, clock, settings: this.#settings, onError },
      trace: this.#trace,
      resumption: resumption?.audio,
      onFinal: () => this.#changed(),
    });
    const closeSocket = (closing: { code: number; reason: string }): void =>
      this.#socket?.close(closing.code, closing.reason);
    this.#outbox = outbox;
    this.#audio = audio;
    const isDurable = (): boolean => this.#keeper !== undefined;
    const intervalMs = context.limits.ackIntervalMs;
    this.#acks = new Acknowledger({ intervalMs, outbox, audio, now: context.now, isDurable });
    this.#end = new SessionEnd({ ...common, audio, closeSocket, onEnd: () => this.#over() });
    this.#changed();
  }

  get state(): SessionState {
    if (this.#end.phase !== 'live' || this.#leaving) return 'ending';
    return this.#socket ? 'streaming' : 'detached';
  }

  get lane(): Lane {
    return this.startedWith.lane;
  }

  /** Sound that its client has kept for this gateway, ms. */
  get replayMs(): number {
    return this.#audio.replayMs;
  }

  /** Sound that was heard so far, gaps included, ms. */
  get audioMs(): number {
    return this.#clock.ms;
  }

  get lastEventId(): number {
    return this.#outbox.lastEventId;
  }

  /** Sends through `socket` from here on, or says why not; an older socket is closed. */
  attach(socket: SessionSocket, lastEventId: number): Refusal | undefined {
    const outbox = this.#outbox;
    if (lastEventId > outbox.lastEventId) {
      const message = `last_event_id ${lastEventId} was never sent; the newest is ${outbox.lastEventId}`;
      return { code: 'invalid_message', message };
    }
    const resumed = outbox.lastEventId > 0;
    if (this.#socket) this.#takeFrom(this.#socket);
    this.#socket = socket;
    this.#heard();
    this.#audio.restartWaits();
    const ready = readyMessage({ context: this.#context, session: this, audio: this.#audio, resumed });
    outbox.attach(socket);
    if (resumed) {
      this.#context.metrics.resumed();
      outbox.replay(ready, lastEventId);
      this.#acks.send('at once');
    } else outbox.send(ready);
    if (this.#end.phase === 'done') socket.close(this.#end.closing.code, this.#end.closing.reason);
    return undefined;
  }

  /** The socket is gone; `isClean`: after a closing handshake. */
  socketClosed(closed: SessionSocket, isClean: boolean): void {
    if (closed !== this.#socket) return;
    this.#detach();
    if (this.#onGone) this.leave();
    else if (this.#end.phase === 'done' && isClean) this.#over();
  }

  /** The socket has written something. */
  socketDrained(): void {
    this.#outbox.drained();
  }

  /** The client has read everything up to this event. */
  confirmed(eventId: number): void {
    this.#outbox.confirm(eventId);
    this.#handOver?.confirmed(eventId);
    if (this.#audio.places.confirmed(eventId)) this.#changed();
  }

  frame(frame: AudioFrame, cameMs: number): void {
    this.#heard(cameMs);
    if (this.#end.phase === 'done') return;
    const outcome = this.#audio.add(frame, cameMs);
    if (typeof outcome === 'object') {
      this.#end.fail(outcome);
      return;
    }
    this.#context.metrics.frame(outcome);
    const overload = this.#audio.overload();
    if (overload) this.#end.fail(overload);
    else this.#acks.frame(outcome, cameMs);
  }

  handle(message: ClientMessage): void {
    this.#heard();
    if (this.#leaving && message.type === 'close') this.#left(this.#leaving.refusal, message.last_seq);
    if (this.#end.phase !== 'live') return;
    const parts = { audio: this.#audio, outbox: this.#outbox, acks: this.#acks, ending: this.#end };
    const open = (reference: ReferenceInput): OpenText | Refusal =>
      openText(this.#context, this.#work, reference, this.startedWith.language);
    handleControl({ ...parts, settings: this.#settings, openText: open }, message);
    if (message.type === 'next_utterance' || message.type === 'config') this.#changed();
  }

  /** Sends `error`, closes the socket and ends the session. */
  fail(refusal: Refusal): void {
    this.#end.fail(refusal);
  }

  /**
   * Looks at waits and timeouts; called by the server's one timer, so a failure must stay within
   * this session. Where nothing waits, most calls find nothing to do.
   */
  tick(nowMs: number): void {
    try {
      if (!this.#looks.rests(nowMs) && this.#looks.isDue(nowMs, this.#waits(nowMs))) this.#watch(nowMs);
    } catch (error) {
      this.#end.failInternally(error);
    }
  }

  /** Sends `go_away`, finalises, closes; resolves when the finals are out. */
  async drain(deadlineMs: number, moveTo?: MoveTo): Promise<void> {
    if (moveTo && (await this.#moved(moveTo))) return;
    const goAway = { type: 'go_away', deadline_ms: deadlineMs, reason: 'shutdown' } as const;
    this.#outbox.send({ ...goAway, retry_after_ms: null, return_ticket: null });
    if (this.#end.phase === 'live') {
      this.#end.afterFinals('drain', { code: closeCodes.goingAway, reason: 'going away' });
    }
    await this.#audio.settled();
  }

  /** Whether another gateway goes on with the session; its client is told where. */
  async #moved(moveTo: MoveTo): Promise<boolean> {
    if (!this.#keeper || this.#end.phase !== 'live') return false;
    const to = await moveTo(this, modelOf(this.#context));
    if (to === undefined || this.#end.phase !== 'live') return false;
    if (this.#socket && !this.#socket.followsMoves) return false;
    const gone = new Promise<void>((resolve) => (this.#onGone = resolve));
    if (this.#socket) this.#outbox.send({ type: 'moving', resume_at: to, token: null });
    else this.leave();
    await Promise.race([gone, wait(moveMs, undefined, { ref: false })]);
    this.#onGone = undefined;
    return this.#isOver;
  }

  /** The server has taken a step for everybody, or taken it back. */
  announceStep(): void {
    this.#outbox.announce();
  }

  /**
   * Sends the session away because the server has too many: what the client says until it has heard
   * of it is scored, then come the finals and `server_busy`. One that is slow to hear of it finds
   * what it sends on acknowledged, for as long as that comes. `afterMs`: when there may be room
   * again; `ticket`: of the place that is kept for it.
   */
  shed({ afterMs, ticket }: { afterMs: number; ticket: string | null }): void {
    if (this.state === 'ending') return;
    const { limits, awake } = this.#context;
    const goAway = { type: 'go_away', deadline_ms: limits.drainMs, reason: 'overload' } as const;
    this.#outbox.send({ ...goAway, retry_after_ms: afterMs, return_ticket: ticket });
    const message = 'the server has too many sessions, and this one is among those that go first';
    const refusal = { code: 'server_busy', message, retryAfterMs: afterMs } as const;
    this.#leaving = { refusal, untilMs: awake() + limits.goAwayMs };
    this.#audio.giveWay();
  }

  /** Ends the session without an event: its client does not come back. */
  abandon(): void {
    this.#handOver?.gone(this.#audio.unfinished(), this.#outbox.lastEventId);
    this.#end.abandon();
  }

  /** Ends the session here without an event; another gateway may go on with it. */
  leave(): void {
    this.#isElsewhere = true;
    this.#end.abandon();
  }

  /** Another gateway has taken the session over: it goes on there. */
  fence(): void {
    if (this.#isElsewhere) return;
    this.#isElsewhere = true;
    this.#end.fail({ code: 'session_conflict', message: 'the session goes on at another gateway' });
  }

  saved(as: { gateway: string; ordinal: number }): SavedSession {
    const parts = { settings: this.#settings, audio: this.#audio, outbox: this.#outbox };
    return savedSession({ context: this.#context, session: this, startedMs: this.startedMs, ...parts }, as);
  }

  nowMs(): number {
    return this.#context.now();
  }

  #heard(nowMs = this.#context.now()): void {
    this.#heardMs = this.#context.awake();
    this.#looks.heard(nowMs);
  }

  #changed(): void {
    if (!this.#isOver) this.#keeper?.changed(this);
  }

  #over(): void {
    if (!this.#isOver) {
      this.#keeper?.ended(this, this.#isElsewhere);
      this.#trace?.end(this.#context.now(), this.#end.failure);
    }
    this.#isOver = true;
    this.#onEnd();
    this.#onGone?.();
  }

  #createOutbox(clock: AudioClock, lastEventId: number | undefined): Outbox {
    const { limits, metrics, now, overload } = this.#context;
    return new Outbox({
      lastEventId,
      keepMs: limits.resumeTtlMs,
      maxReplayBytes: limits.maxReplayBytes,
      congestedBytes: limits.congestedBytes,
      level: () => overload.step,
      apartMs: () => (overload.level >= halfRateFrom ? this.#settings.emitIntervalMs * halfRateShare : 0),
      now,
      clock,
      onEvent: (type) => metrics.event(type),
      onPartial: (type, timing, totalMs, partial) => {
        metrics.feedback(type, timing, totalMs, tracePartial(this.#trace, partial, { timing, totalMs }));
        this.#acks.send('riding');
      },
    });
  }

  /** Its client has said its last word, since it was told to go. */
  #left(refusal: Refusal, lastSeq = -1): void {
    const wrong = this.#end.phase === 'done' ? undefined : this.#audio.giveUpTo(lastSeq);
    this.#acks.send('at once');
    this.#go(wrong ?? refusal);
    this.#end.heard();
  }

  /** The finals of a session that was told to go. */
  #go(refusal: Refusal): void {
    if (this.#end.phase === 'live') this.#end.afterFinals('drain', refusal, 'heard');
  }

  #watchLeaving({ refusal, untilMs }: { refusal: Refusal; untilMs: number }, awakeMs: number): void {
    const { goAwayMs, resumeTtlMs } = this.#context.limits;
    if (awakeMs > untilMs) this.#go(refusal);
    // Whoever paused before it was told may still say something, and hears that it came.
    const isSilent = this.#socket !== undefined && awakeMs - Math.max(this.#heardMs, untilMs) > goAwayMs;
    if (isSilent || awakeMs > untilMs + resumeTtlMs) this.#end.heard();
  }

  #takeFrom(older: SessionSocket): void {
    const conflict = { code: 'session_conflict', message: 'a newer socket has taken the session over' } as const;
    this.#outbox.send(errorMessage(conflict));
    older.close(wireErrors.session_conflict.close, conflict.message);
  }

  /** Whether something cannot wait until the next look at everything. */
  #waits(nowMs: number): boolean {
    return this.#audio.waits || this.#outbox.waits || this.#acks.isDue(nowMs);
  }

  #watch(nowMs: number): void {
    const { limits } = this.#context;
    const waits = this.#audio.waits || this.#audio.isScoring || this.#outbox.waits;
    this.#looks.looked(nowMs, waits || !this.#socket || this.#end.phase !== 'live');
    const refusal = this.#audio.tick();
    if (refusal) this.#end.fail(refusal);
    this.#acks.send('timely');
    const awakeMs = this.#context.awake();
    if (this.#leaving) this.#watchLeaving(this.#leaving, awakeMs);
    if (this.#socket) this.#watchSocket(this.#socket, nowMs);
    else if (awakeMs - this.#detachedMs > limits.resumeTtlMs) this.abandon();
    if (this.#end.phase !== 'live') return;
    if (nowMs - this.startedMs > limits.maxSessionMs) {
      const message = `a session may last ${limits.maxSessionMs} ms (max_session_ms)`;
      this.#end.afterFinals('timeout', { code: 'session_too_long', message, limit: 'maxSessionMs' });
    } else if (this.#socket && awakeMs - this.#heardMs > limits.idleTimeoutMs) {
      const message = `nothing was heard for ${limits.idleTimeoutMs} ms (idle_timeout_ms)`;
      this.#end.afterFinals('timeout', { code: 'idle_timeout', message, limit: 'idleTimeoutMs' });
    }
  }

  /** Cuts off a client that does not read; its session can be resumed. */
  #watchSocket(socket: SessionSocket, nowMs: number): void {
    this.#outbox.drained();
    const refusal = slowReader(this.#context.limits, socket.unsentBytes(), this.#outbox.congestedForMs(nowMs));
    if (!refusal) return;
    noteRefusal(this.#context, refusal);
    this.#outbox.send(errorMessage(refusal));
    socket.close(wireErrors.slow_reader.close, refusal.message);
    this.#detach();
  }

  #detach(): void {
    this.#socket = undefined;
    this.#detachedMs = this.#context.awake();
    this.#outbox.detach();
  }
}

/** How long a client has to follow before its session is ended here as any other. */
const moveMs = 2000;
