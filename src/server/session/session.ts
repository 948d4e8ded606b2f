import type { ClientMessage, StartMessage } from '../../protocol/client-messages.ts';
import { closeCodes, wireErrors } from '../../protocol/codes.ts';
import type { AudioFrame } from '../../protocol/frame.ts';
import { stackOf } from '../../telemetry/log.ts';
import type { Refusal } from '../refusal.ts';
import { createSecret } from '../secrets.ts';
import { createAckSchedule } from './ack-schedule.ts';
import type { ServerContext } from './context.ts';
import { type Closing, createControls } from './controls.ts';
import { createOutbox, type Sink } from './outbox.ts';
import { createReading } from './reading.ts';
import { ackMessage, errorMessage, readyMessage } from './replies.ts';
import { createSpeechWatch } from './speech-watch.ts';
import type { FinalReason } from './utterance.ts';

/**
 * One learner's session. It outlives its socket: while none is there it goes on scoring what it has, and a resume within
 * `resumeTtlMs` takes it up again.
 */
export type Session = {
  readonly id: string;
  readonly resumeToken: string;
  /** The name of the token that started it; only the same may resume it. */
  readonly owner: string | undefined;
  readonly startedWith: StartMessage;
  state(): SessionState;
  /** Speaks through `line` from here on, or says why not; an older line is closed. */
  attach(line: Line, lastEventId: number): Refusal | undefined;
  /** The line is gone; `clean`: after a closing handshake. */
  lineClosed(line: Line, clean: boolean): void;
  /** The line has written something, or has heard that the client read everything up to an event. */
  lineDrained(): void;
  lineConfirmed(eventId: number): void;
  frame(frame: AudioFrame): void;
  handle(message: ClientMessage): void;
  /** Says `error`, closes the line and ends the session. */
  fail(refusal: Refusal): void;
  tick(): void;
  /** Says `go_away`, finalises, closes; resolves when the finals are out. */
  drain(deadlineMs: number): Promise<void>;
  /** Ends the session without a word. */
  abandon(): void;
  readonly lastEventId: number;
};

export type SessionState = 'streaming' | 'detached' | 'ending';

/** A socket as its session sees it. */
export type Line = Sink & { close(code: number, reason: string): void };

/** @throws SpeechfbError `invalid_reference` */
export function createSession(
  context: ServerContext,
  start: StartMessage,
  owner: string | undefined,
  onEnd: () => void,
): Session {
  const { limits, metrics, now } = context;
  const id = createSecret(12);
  const resumeToken = createSecret(32);
  const settings = { emitIntervalMs: start.emit_interval_ms, granularity: start.granularity };
  const startedMs = now();
  let line: Line | undefined;
  let phase: 'live' | 'ending' | 'done' = 'live';
  let closing: Closing = { code: closeCodes.normal, reason: 'done' };
  let holed = false;
  let heardMs = startedMs;
  let detachedMs = startedMs;
  const outbox = createOutbox({
    keepMs: limits.resumeTtlMs,
    congestedBytes: limits.congestedBytes,
    now,
    audioMs: () => reading.positionMs(),
    onEvent: (event) => metrics.event(event.type),
    onPartial(message, totalMs) {
      metrics.feedback(message, totalMs);
      acknowledge('riding');
    },
  });
  const reading = createReading({
    engine: context.engine,
    open: context.scoring.openUtterance,
    intake: { codec: start.audio.encoding, sampleRateHz: start.audio.sample_rate },
    reference: context.scoring.readReference(start.reference),
    limits,
    outbox,
    speech: createSpeechWatch(context.engine.model.sampleRateHz, (state, at_ms) =>
      outbox.send({ type: 'speech', state, at_ms }),
    ),
    settings: () => settings,
    now,
    onGap: tellGap,
    refuse: fail,
    onError: failInternally,
  });
  const acks = createAckSchedule(limits.ackIntervalMs);
  const { readReference } = context.scoring;
  const obey = createControls({
    reading,
    outbox,
    settings,
    readReference,
    acknowledge: () => acknowledge('at once'),
    tellGap,
    end,
    fail,
    failInternally,
  });

  const session: Session = {
    id,
    resumeToken,
    owner,
    startedWith: start,
    state: () => (phase !== 'live' ? 'ending' : line ? 'streaming' : 'detached'),
    attach,
    lineClosed(closed, clean) {
      if (closed !== line) return;
      letGo();
      if (phase === 'done' && clean) onEnd();
    },
    lineDrained: outbox.drained,
    lineConfirmed: outbox.confirm,
    frame(frame) {
      heardMs = now();
      if (phase !== 'live') return;
      const outcome = reading.frame(frame);
      if (outcome) metrics.frame(outcome);
      acks.frame();
      // A hole is told at once: the client may fill it before its wait is over.
      acknowledge(outcome === 'early' && !holed ? 'at once' : 'timely');
      holed = outcome === 'early';
    },
    handle(message) {
      heardMs = now();
      if (phase === 'live') obey(message);
    },
    fail,
    tick() {
      // Called from the server's one timer: what goes wrong here is this session's trouble alone.
      try {
        watch();
      } catch (error) {
        failInternally(error);
      }
    },
    async drain(deadlineMs) {
      outbox.send({ type: 'go_away', deadline_ms: deadlineMs });
      if (phase === 'live') end('drain', { code: closeCodes.goingAway, reason: 'going away' });
      await reading.settled();
    },
    abandon,
    get lastEventId() {
      return outbox.lastEventId;
    },
  };
  return session;

  function attach(next: Line, lastEventId: number): Refusal | undefined {
    if (lastEventId > outbox.lastEventId) {
      const message = `last_event_id ${lastEventId} was never sent; the newest is ${outbox.lastEventId}`;
      return { code: 'invalid_message', message };
    }
    const resumed = outbox.lastEventId > 0;
    if (line) {
      const taken = { code: 'session_conflict', message: 'a newer socket has taken the session over' } as const;
      outbox.send(errorMessage(taken));
      line.close(wireErrors.session_conflict.close, taken.message);
    }
    line = next;
    heardMs = now();
    reading.restartWaits();
    const ready = readyMessage({ context, session, reading, resumed });
    outbox.attach(next);
    if (resumed) {
      metrics.resumed();
      outbox.replay(ready, lastEventId);
      acknowledge('at once');
    } else outbox.send(ready);
    if (phase === 'done') next.close(closing.code, closing.reason);
    return undefined;
  }

  /** Finals first, then the close; a refusal is said in between. */
  function end(reason: FinalReason, how: Closing | Refusal): void {
    phase = 'ending';
    reading.finish(reason, null);
    void reading.settled().then(() => {
      if (phase !== 'ending') return;
      if ('message' in how) {
        fail(how);
        return;
      }
      phase = 'done';
      closing = how;
      reading.close();
      line?.close(how.code, how.reason);
    });
  }

  function fail(refusal: Refusal): void {
    if (phase === 'done') return;
    phase = 'done';
    reading.close();
    metrics.refusal(refusal.code);
    outbox.send(errorMessage(refusal));
    line?.close(wireErrors[refusal.code].close, refusal.message);
    onEnd();
  }

  function failInternally(error: unknown): void {
    context.log.error({ session: id, error: stackOf(error) }, 'a session failed');
    fail({ code: 'internal', message: 'the server failed on this session; the log says why' });
  }

  function watch(): void {
    const nowMs = now();
    reading.tick();
    acknowledge('timely');
    if (line) watchLine(nowMs);
    else if (nowMs - detachedMs > limits.resumeTtlMs) abandon();
    if (phase !== 'live') return;
    if (nowMs - startedMs > limits.maxSessionMs) {
      end('timeout', { code: 'session_too_long', message: `a session may last ${limits.maxSessionMs} ms` });
    } else if (line && nowMs - heardMs > limits.idleTimeoutMs) {
      end('timeout', { code: 'idle_timeout', message: `nothing was heard for ${limits.idleTimeoutMs} ms` });
    }
  }

  function watchLine(nowMs: number): void {
    outbox.drained();
    const slow = outbox.congestedForMs(nowMs) > limits.slowReaderMs || line!.unsentBytes() > limits.maxUnsentBytes;
    if (!slow) return;
    const refusal = { code: 'slow_reader', message: 'events are not read as fast as they come' } as const;
    metrics.refusal(refusal.code);
    outbox.send(errorMessage(refusal));
    line!.close(wireErrors.slow_reader.close, refusal.message);
    letGo();
  }

  function letGo(): void {
    line = undefined;
    detachedMs = now();
    outbox.detach();
  }

  function abandon(): void {
    phase = 'done';
    reading.close();
    onEnd();
  }

  function acknowledge(how: Parameters<typeof acks.due>[1]): void {
    if (line && acks.due(now(), how)) outbox.sendPassing(ackMessage(reading));
  }

  function tellGap(ms: number, frames: number): void {
    metrics.lostFrames(frames);
    const text = `${frames} frames never came, ${Math.round(ms)} ms of sound; phones over it are unscored`;
    outbox.send({ type: 'info', code: 'audio_gap', message: text });
  }
}
