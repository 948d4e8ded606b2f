import type { ServerEvent, ServerMessage } from '../../protocol/server-messages.ts';
import type { StageTimings } from '../../protocol/stages.ts';
import { createEventLog } from './event-log.ts';
import { createPending, type PartialResult } from './pending.ts';

/**
 * A session's way out. Numbers events, logs those that a resume may ask for, and holds partial results back while no
 * socket is there or the socket's unsent bytes pile up: of each phone only the newest record waits, so a provisional
 * result may be overtaken but a final one is never lost.
 */
export type Outbox = {
  /** An event that is never dropped. Without `audioMs` it is stamped with what has been read. */
  send(message: ServerMessage, audioMs?: number): void;
  /** A `phoneme_feedback` or `transcript`: sent now or merged into what waits. */
  sendPartial(partial: PartialResult): void;
  /** An event that only matters now (ack): skipped while congested or detached. */
  sendPassing(message: ServerMessage): void;
  /** Speaks through `sink` from here on. */
  attach(sink: Sink): void;
  /** To a sink newly attached: `opening` under `lastEventId`, then what came after that id, then what waits. */
  replay(opening: ServerMessage, lastEventId: number): void;
  detach(): void;
  /** The client has read everything up to this event. */
  confirm(eventId: number): void;
  /** The sink has written something: sends what waited, when there is room. */
  drained(): void;
  /** How long the sink has been congested, ms; 0 when it is not. */
  congestedForMs(nowMs: number): number;
  readonly lastEventId: number;
};

export type Sink = {
  write(text: string): void;
  /** Bytes accepted by `write` and not yet by the network. */
  unsentBytes(): number;
};

export type OutboxOptions = {
  keepMs: number;
  congestedBytes: number;
  now(): number;
  /** How much of the session's audio has been read. */
  audioMs(): number;
  /** Told of each event as it goes to the socket or the log. */
  onEvent(event: ServerEvent): void;
  /** Told of each partial result that goes out, and how long the server had its sound. */
  onPartial(event: PartialResult['message'], totalMs: number): void;
};

export function createOutbox(options: OutboxOptions): Outbox {
  const log = createEventLog(options.keepMs);
  const pending = createPending();
  let sink: Sink | undefined;
  let lastEventId = 0;
  let congestedSinceMs: number | undefined;

  return {
    send(message, audioMs) {
      if (message.type === 'utterance_final' || message.type === 'transcript') flush();
      emit(message, audioMs);
    },
    sendPartial(partial) {
      watchCongestion();
      pending.merge(partial);
      if (sink && congestedSinceMs === undefined) flush();
    },
    sendPassing(message) {
      if (sink && congestedSinceMs === undefined) emit(message);
    },
    attach(next) {
      sink = next;
      congestedSinceMs = undefined;
      pending.takeDropped();
    },
    replay(opening, fromEventId) {
      const { events, truncated } = log.after(fromEventId);
      write({ event_id: fromEventId, audio_ms: round(options.audioMs()), ...opening });
      for (const event of events) write(event);
      if (truncated) emit({ type: 'info', code: 'replay_truncated', message: truncatedText(fromEventId) });
      flush();
    },
    detach() {
      sink = undefined;
      congestedSinceMs = undefined;
    },
    confirm: log.confirm,
    drained() {
      watchCongestion();
      if (sink && congestedSinceMs === undefined) flush();
    },
    congestedForMs: (nowMs) => (congestedSinceMs === undefined ? 0 : nowMs - congestedSinceMs),
    get lastEventId() {
      return lastEventId;
    },
  };

  function flush(): void {
    for (const partial of pending.take()) emitPartial(partial);
  }

  function emitPartial({ message, audioMs, producedMs, arrivedMs }: PartialResult): void {
    const nowMs = options.now();
    const timed = { ...message, timing: roundTimings({ ...message.timing, emit: nowMs - producedMs }) };
    options.onPartial(timed, nowMs - arrivedMs);
    emit(timed, audioMs);
  }

  function emit(message: ServerMessage, audioMs = options.audioMs()): void {
    lastEventId += 1;
    const event: ServerEvent = { event_id: lastEventId, audio_ms: round(audioMs), ...message };
    if (isReplayed(message)) log.add(event, options.now());
    options.onEvent(event);
    write(event);
  }

  function write(event: ServerEvent): void {
    sink?.write(JSON.stringify(event));
  }

  /** Enters congestion above the limit and leaves it below half of it. */
  function watchCongestion(): void {
    if (!sink) return;
    const unsent = sink.unsentBytes();
    if (congestedSinceMs === undefined && unsent > options.congestedBytes) {
      congestedSinceMs = options.now();
      tellBackpressure('degraded', unsent);
    } else if (congestedSinceMs !== undefined && unsent <= options.congestedBytes / 2) {
      congestedSinceMs = undefined;
      tellBackpressure('none', unsent);
    }
  }

  function tellBackpressure(level: 'none' | 'degraded', unsent: number): void {
    emit({ type: 'backpressure', level, buffered_bytes: unsent, dropped: pending.takeDropped() });
  }
}

function isReplayed(message: ServerMessage): boolean {
  switch (message.type) {
    case 'phoneme_feedback':
      return message.phonemes.length > 0;
    case 'transcript':
    case 'speech':
    case 'utterance_final':
      return true;
    default:
      return false;
  }
}

function truncatedText(eventId: number): string {
  return `events after ${eventId} were confirmed by an earlier socket and are no longer kept in full`;
}

function roundTimings(timing: StageTimings): StageTimings {
  return Object.fromEntries(Object.entries(timing).map(([stage, ms]) => [stage, round(ms)]));
}

/** Microsecond steps: more digits than that are noise and bytes. */
function round(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}
