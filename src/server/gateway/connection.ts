import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import { SpeechfbError } from '../../errors.ts';
import type { ClientMessage, StartMessage } from '../../protocol/client-messages.ts';
import { closeCodes, wireErrors } from '../../protocol/codes.ts';
import { type AudioFrame, decodeFrame, frameHeaderBytes } from '../../protocol/frame.ts';
import { parseClientMessage } from '../../protocol/parse-message.ts';
import { stackOf } from '../../telemetry/log.ts';
import type { Refusal } from '../refusal.ts';
import type { ServerContext } from '../session/context.ts';
import { errorMessage, referenceRefusal } from '../session/replies.ts';
import type { Line, Session } from '../session/session.ts';
import type { Registry } from './registry.ts';
import { createTokenBucket } from './token-bucket.ts';

/** One WebSocket: reads messages, finds or starts the session, and hands over. */
export type Connection = {
  /** Pings; a socket that has answered nothing since the last beat is cut, its session waits for a resume. */
  beat(): void;
  /** Refuses a socket that neither starts nor resumes. */
  tick(nowMs: number): void;
  refuse(refusal: Refusal): void;
  /** The server goes away: closes the socket unless a session has it. */
  leave(): void;
  /** Cuts the socket without a word. */
  terminate(): void;
};

export type ConnectionOptions = {
  socket: WebSocket;
  /** What the WebSocket runs over. */
  transport: Duplex;
  context: ServerContext;
  registry: Registry;
  /** The name of the client's token. */
  owner: string | undefined;
  /** Why a new session may not start now. */
  admit(): Refusal | undefined;
  onClose(): void;
};

export function createConnection(options: ConnectionOptions): Connection {
  const { socket, transport, context, registry, owner } = options;
  const { limits, metrics } = context;
  const openedMs = context.now();
  let session: Session | undefined;
  let closing = false;
  let alive = true;
  let gathering = false;
  const frames = createTokenBucket(limits.framesPerSecond, limits.frameBurst, openedMs);
  const messages = createTokenBucket(limits.messagesPerSecond, limits.messageBurst, openedMs);

  const line: Line = {
    write(text) {
      if (socket.readyState !== socket.OPEN) return;
      gather();
      socket.send(text, onWritten);
    },
    unsentBytes: () => socket.bufferedAmount,
    close,
  };
  const onWritten = (): void => session?.lineDrained();

  socket.on('message', (data: Buffer, isBinary) => {
    alive = true;
    if (closing) return;
    try {
      const waitMs = (isBinary ? frames : messages).take(context.now());
      if (waitMs > 0) fail(flood(isBinary, waitMs));
      else if (isBinary) onFrame(data);
      else onText(data);
    } catch (error) {
      context.log.error({ error: stackOf(error) }, 'a message could not be handled');
      fail({ code: 'internal', message: 'the server failed on this message; the log says why' });
    }
  });
  socket.on('pong', (data: Buffer) => {
    alive = true;
    const eventId = Number(data.toString('latin1'));
    if (Number.isSafeInteger(eventId)) session?.lineConfirmed(eventId);
  });
  // The socket is closed by ws after an error of the WebSocket layer: 1002, 1007 or 1009.
  socket.on('error', (error) => context.log.warn({ error: error.message }, 'a socket broke the WebSocket protocol'));
  socket.on('close', (code) => {
    session?.lineClosed(line, code !== abnormal);
    options.onClose();
  });

  return {
    beat() {
      if (!alive) {
        socket.terminate();
        return;
      }
      alive = false;
      if (socket.readyState === socket.OPEN) socket.ping(String(session?.lastEventId ?? 0));
    },
    tick(nowMs) {
      if (session || closing || nowMs - openedMs <= limits.startTimeoutMs) return;
      refuse({ code: 'idle_timeout', message: `no start or resume came within ${limits.startTimeoutMs} ms` });
    },
    refuse,
    leave() {
      if (!session && !closing) close(closeCodes.goingAway, 'going away');
    },
    terminate: () => socket.terminate(),
  };

  /** What is said within one turn of the event loop goes out in one write: a system call costs more than an event. */
  function gather(): void {
    if (gathering) return;
    gathering = true;
    transport.cork();
    process.nextTick(() => {
      gathering = false;
      transport.uncork();
    });
  }

  function onFrame(data: Buffer): void {
    metrics.message('audio');
    const frame = readFrame(data);
    if ('code' in frame) fail(frame);
    else if (session) session.frame(frame);
    else fail({ code: 'protocol_order', message: 'audio came before "start" or "resume"' });
  }

  function readFrame(data: Buffer): AudioFrame | Refusal {
    const payloadBytes = data.length - frameHeaderBytes;
    if (payloadBytes > limits.maxFrameBytes) {
      const message = `a frame of ${payloadBytes} bytes; max_frame_bytes is ${limits.maxFrameBytes}`;
      return { code: 'too_large', message };
    }
    const decoded = decodeFrame(data);
    if (decoded.ok) return decoded.frame;
    return { code: decoded.fault === 'codec' ? 'unsupported_audio' : 'invalid_frame', message: decoded.message };
  }

  function onText(data: Buffer): void {
    if (data.length > limits.maxMessageBytes) {
      const message = `a message of ${data.length} bytes; at most ${limits.maxMessageBytes} are read`;
      fail({ code: 'too_large', message });
      return;
    }
    const parsed = parseClientMessage(data.toString('utf8'));
    metrics.message(parsed.ok ? parsed.message.type : 'invalid');
    if (!parsed.ok) fail({ code: parsed.code, message: parsed.problem });
    else if (session) session.handle(parsed.message);
    else open(parsed.message);
  }

  function open(message: ClientMessage): void {
    const found = find(message);
    if ('code' in found) {
      refuse(found);
      return;
    }
    // A session is attached before it is known here, so that a refusal to attach leaves it alone.
    const refusal = found.attach(line, message.type === 'resume' ? message.last_event_id : 0);
    if (refusal) refuse(refusal);
    else session = found;
  }

  function find(message: ClientMessage): Session | Refusal {
    switch (message.type) {
      case 'start':
        return registry.startedBefore(message, owner) ?? start(message);
      case 'resume':
        return registry.find(message, owner);
      default:
        return { code: 'protocol_order', message: `"${message.type}" came before "start" or "resume"` };
    }
  }

  function start(message: StartMessage): Session | Refusal {
    const refusal = options.admit();
    if (refusal) return refusal;
    const { language } = context.engine.model;
    if (primaryTag(message.language) !== primaryTag(language)) {
      return { code: 'invalid_message', message: `language: "${message.language}" is not ${language}` };
    }
    try {
      return registry.create(message, owner);
    } catch (error) {
      if (error instanceof SpeechfbError) return referenceRefusal(error);
      throw error;
    }
  }

  function fail(refusal: Refusal): void {
    if (session) session.fail(refusal);
    else refuse(refusal);
  }

  function refuse(refusal: Refusal): void {
    metrics.refusal(refusal.code);
    line.write(JSON.stringify({ event_id: 0, audio_ms: 0, ...errorMessage(refusal) }));
    close(wireErrors[refusal.code].close, refusal.message);
  }

  function close(code: number, reason: string): void {
    // What a socket says after it was closed (a newer one may have its session) is not heard.
    closing = true;
    socket.close(code, fitReason(reason));
  }
}

/** The close frame never came: the network went away. */
const abnormal = 1006;
const maxReasonBytes = 123;

/** A close reason holds 123 bytes of UTF-8; the `error` before it has the whole sentence. */
function fitReason(reason: string): string {
  const bytes = Buffer.from(reason);
  if (bytes.length <= maxReasonBytes) return reason;
  return bytes
    .subarray(0, maxReasonBytes)
    .toString('utf8')
    .replace(/\uFFFD+$/, '');
}

function flood(isBinary: boolean, retryAfterMs: number): Refusal {
  const message = isBinary ? 'more audio frames than any sound needs' : 'too many messages a second';
  return { code: 'rate_limited', message, retryAfterMs };
}

/** `en` of `en-US`. */
function primaryTag(language: string): string {
  return language.split('-')[0]!.toLowerCase();
}
