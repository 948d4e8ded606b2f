import type { ClientMessage, StartMessage } from '../../protocol/client-messages.ts';
import { closeCodes, wireErrors } from '../../protocol/codes.ts';
import { parseClientMessage } from '../../protocol/parse-message.ts';
import { stackOf } from '../../telemetry/log.ts';
import { refusedBy } from '../admission/accounts.ts';
import { mostSoundBytes, readFrame, tooLarge } from '../admission/reading.ts';
import type { Meant, Wire } from '../facade/wire.ts';
import { type LateFinals, lateFinals } from '../late/late-finals.ts';
import { noteRefusal, type Refusal } from '../refusal.ts';
import { writtenLength } from '../session/open-text.ts';
import { errorMessage } from '../session/replies.ts';
import type { Session } from '../session/session.ts';
import type { SessionSocket } from '../session/session-options.ts';
import { beginSession } from './begin-session.ts';
import { noteBrokenSocket } from './broken-socket.ts';
import { type ConnectionOptions, spanOf, wrongRegion } from './connection-options.ts';
import { Heartbeat } from './heartbeat.ts';
import { Relay, type Said } from './outside/relay.ts';
import { CorkedSocket } from './socket/corked-socket.ts';
import { SoundReader } from './socket/sound-reader.ts';
import { SocketRates } from './socket-rates.ts';
import type { StartAnswer } from './takeover.ts';

/** One WebSocket: reads messages, finds or starts the session, and hands over. */
export class Connection {
  readonly #options: ConnectionOptions;
  readonly #socket: CorkedSocket;
  /** What the session writes to: the socket, or what puts it into the words of others. */
  readonly #sink: SessionSocket;
  readonly #openedMs: number;
  readonly #rates: SocketRates;
  #session: Session | undefined;
  /** What came while it was decided whether its session may start. */
  #waiting: (Said | readonly Meant[])[] | undefined;
  /** Another gateway has its session, and all that comes goes there. */
  #relay: Relay | undefined;
  readonly #heartbeat: Heartbeat;
  readonly #reader: SoundReader | undefined;

  constructor(options: ConnectionOptions) {
    const { socket, transport, context, wire } = options;
    this.#options = options;
    this.#openedMs = context.awake();
    this.#heartbeat = new Heartbeat(context.limits.heartbeatMs, this.#openedMs);
    this.#rates = new SocketRates(context.limits, context.now());
    this.#socket = new CorkedSocket(socket, transport, () => this.#session?.socketDrained());
    this.#socket.followsMoves = options.followsMoves === true;
    this.#sink = wire ? wire.attach(this.#socket, (meant) => this.#act(meant)) : this.#socket;
    socket.on('message', (data: Buffer, isBinary) => this.#onMessage(data, isBinary));
    const hear = (data: Buffer): void => this.#onMessage(data, true);
    this.#reader = wire ? undefined : SoundReader.before(socket, transport, mostSoundBytes(context.limits), hear);
    options.datagrams?.((data) => this.#onDatagram(data));
    socket.on('ping', (data: Buffer) => this.#onPing(data));
    socket.on('pong', (data: Buffer) => this.#onPong(data));
    // ws closes the socket then.
    socket.on('error', (error) => noteBrokenSocket(context, error, options.tenant));
    socket.on('close', (code) => {
      this.#closed(code !== abnormal);
      options.onClose();
    });
    if (wire) this.#act(wire.open());
  }

  /** Pings; who has answered nothing since the last time is cut, and its session waits for it. */
  heartbeat(): void {
    const { socket, context } = this.#options;
    if (this.#heartbeat.begin(context.awake())) this.#socket.ping(String(this.#session?.lastEventId ?? 0));
    else socket.terminate();
  }

  /** Whether a session has it. */
  get hasSession(): boolean {
    return this.#session !== undefined || this.#relay !== undefined || this.#waiting !== undefined;
  }

  /** Never, where another gateway has the session: that one pings through this socket. */
  isBeatDue(awakeMs: number): boolean {
    return !this.#relay && this.#heartbeat.isDue(awakeMs);
  }

  /** Refuses a socket that neither starts nor resumes. */
  tick(awakeMs: number): void {
    if (this.hasSession || this.#socket.isClosing) return;
    const { startTimeoutMs } = this.#options.context.limits;
    if (awakeMs - this.#openedMs <= startTimeoutMs) return;
    const message = `no start or resume came within ${startTimeoutMs} ms (start_timeout_ms)`;
    this.refuse({ code: 'idle_timeout', message, limit: 'startTimeoutMs' });
  }

  /** Sends `error` and closes the socket. */
  refuse(refusal: Refusal): void {
    noteRefusal(this.#options.context, refusal, this.#options.tenant);
    this.#sink.write(JSON.stringify({ event_id: 0, audio_ms: 0, ...errorMessage(refusal) }));
    this.#sink.close(wireErrors[refusal.code].close, refusal.message);
  }

  /** The server goes away: closes the socket unless a session has it. */
  leave(): void {
    if (!this.hasSession && !this.#socket.isClosing) this.#sink.close(closeCodes.goingAway, 'going away');
  }

  /** Cuts the socket for somebody else, who may have its place at once. */
  giveUp(): void {
    this.#options.onClose();
    this.terminate();
  }

  /** Cuts the socket without a closing handshake. */
  terminate(): void {
    this.#options.socket.terminate();
  }

  #onMessage(data: Buffer, isBinary: boolean): void {
    this.#heartbeat.heard();
    // After it was closed (a newer socket may have its session) nothing that it says counts.
    if (this.#socket.isClosing) return;
    const { context, wire } = this.#options;
    const isSound = wire ? wire.isSound(data, isBinary) : isBinary;
    try {
      const nowMs = context.now();
      const flood = this.#rates.take(isSound ? 'frames' : 'messages', nowMs);
      if (flood) this.#fail(flood);
      else if (this.#waiting) this.#waiting.push({ data, isBinary });
      else this.#read(data, isBinary, nowMs);
    } catch (error) {
      this.#failInternally(error);
    }
  }

  /**
   * A frame of sound that came by itself: before there is a session it has overtaken what begins
   * one, and is lost.
   */
  #onDatagram(data: Buffer): void {
    const { metrics } = this.#options.context;
    const outcome = this.#relay?.sayBeside(data) ?? (this.#session && !this.#waiting ? 'heard' : 'early');
    metrics.datagram(outcome);
    if (outcome === 'heard' && !this.#relay) this.#onMessage(data, true);
  }

  #read(data: Buffer, isBinary: boolean, nowMs: number): void {
    if (this.#options.wire) this.#hear(this.#options.wire, data, isBinary);
    else if (isBinary) this.#onFrame(data, nowMs);
    else this.#onText(data);
  }

  #onPing(data: Buffer): void {
    const { socket } = this.#options;
    if (this.#isControlFlood()) return;
    this.#heartbeat.heard();
    if (socket.readyState === socket.OPEN) socket.pong(data);
  }

  /**
   * A pong carries the id of the newest event when its ping was sent: the client has read
   * everything up to it.
   */
  #onPong(data: Buffer): void {
    if (this.#isControlFlood()) return;
    this.#heartbeat.heard();
    const eventId = Number(data.toString('latin1'));
    if (!this.#session || !Number.isSafeInteger(eventId)) return;
    this.#session.confirmed(eventId);
    if (eventId > 0) this.#options.registry.forgetKey(this.#session);
  }

  /**
   * Whether one more ping or pong is one too many; the socket is refused then, and what still comes
   * counts for nothing.
   */
  #isControlFlood(): boolean {
    if (this.#socket.isClosing) return true;
    const flood = this.#rates.take('pings', this.#options.context.now());
    if (flood) this.#fail(flood);
    return flood !== undefined;
  }

  #onFrame(data: Buffer, nowMs: number): void {
    const { metrics, limits } = this.#options.context;
    metrics.message('audio');
    const frame = readFrame(data, limits);
    if ('code' in frame) this.#fail(frame);
    else if (this.#session) this.#session.frame(frame, nowMs);
    else this.#fail({ code: 'protocol_order', message: 'audio came before "start" or "resume"' });
  }

  /** A message in a protocol of others. */
  #hear(wire: Wire, data: Buffer, isBinary: boolean): void {
    const refusal = tooLarge(data, this.#options.context.limits);
    if (refusal) this.#fail(refusal);
    else this.#act(wire.hear(data, isBinary));
  }

  #act(meant: readonly Meant[]): void {
    const { metrics, now } = this.#options.context;
    for (const [at, one] of meant.entries()) {
      if (this.#socket.isClosing) return;
      if (this.#waiting) {
        this.#waiting.push(meant.slice(at));
        return;
      }
      if ('frame' in one) {
        metrics.message('audio');
        this.#session?.frame(one.frame, now());
      } else if ('message' in one) {
        metrics.message(one.message.type);
        if (this.#session) this.#session.handle(one.message);
        else this.#open(one.message);
      } else {
        metrics.message('invalid');
        this.#fail(one.refusal);
      }
    }
  }

  #closed(isClean: boolean): void {
    // Protocols of others have no way back to a session.
    if (this.#options.wire) this.#session?.abandon();
    else this.#session?.socketClosed(this.#sink, isClean);
  }

  #onText(data: Buffer): void {
    const { metrics, limits } = this.#options.context;
    const refusal = tooLarge(data, limits);
    if (refusal) {
      this.#fail(refusal);
      return;
    }
    const parsed = parseClientMessage(data.toString('utf8'));
    metrics.message(parsed.ok ? parsed.message.type : 'invalid');
    if (!parsed.ok) this.#fail({ code: parsed.code, message: parsed.problem });
    else if (this.#session) this.#session.handle(parsed.message);
    else this.#open(parsed.message, data);
  }

  /** @param data as it came, if it is to be passed on to another gateway; others' words are not. */
  #open(message: ClientMessage, data?: Buffer): void {
    const { context, elsewhere, takeover } = this.#options;
    const refusal = 'region' in message ? wrongRegion(message, context.region) : undefined;
    if (refusal) {
      this.refuse(refusal);
      return;
    }
    const gateway = message.type === 'resume' ? elsewhere?.gatewayOf(message.session_id) : undefined;
    const isThere = gateway !== undefined && (elsewhere?.doorOf(gateway) !== undefined || !takeover);
    if (isThere && data) this.#passOn(gateway, [{ data, isBinary: false }]);
    else if (message.type === 'resume') this.#resume(message);
    else if (message.type === 'start') {
      const found = this.#findStarted(message, data);
      if (found) this.#attach(found, message);
    } else this.refuse({ code: 'protocol_order', message: `"${message.type}" came before "start" or "resume"` });
  }

  #attach(found: Session | Refusal, message: ClientMessage): void {
    if ('code' in found) {
      this.refuse(found);
      return;
    }
    // A session is attached before it is known here, so that a refusal to attach leaves it alone.
    const refusal = found.attach(this.#sink, message.type === 'resume' ? message.last_event_id : 0);
    if (refusal) this.refuse(refusal);
    else this.#session = found;
  }

  /** Nothing more is read until it is decided whether this start begins a session here. */
  #decide(start: StartMessage, data: Buffer | undefined, decision: Promise<Refusal | StartAnswer>): void {
    void this.#wait(decision, (decided, waiting) => {
      if ('elsewhere' in decided) {
        const said = waiting.splice(0).filter((one) => 'data' in one);
        this.#passOn(decided.elsewhere, data ? [{ data, isBinary: false }, ...said] : said);
      } else if ('code' in decided) this.refuse(decided);
      else this.#admitted(start, decided);
    });
  }

  /** Reads nothing more until an answer is there and acted on, then what came meanwhile. */
  async #wait<Answer>(
    answer: Promise<Answer>,
    act: (answer: Answer, waiting: (Said | readonly Meant[])[]) => void,
  ): Promise<void> {
    const { socket, context } = this.#options;
    const waiting: (Said | readonly Meant[])[] = [];
    this.#waiting = waiting;
    socket.pause();
    try {
      const decided = await answer;
      this.#waiting = undefined;
      act(decided, waiting);
      // Who passes a socket on reads it.
      if (!this.#relay) socket.resume();
      for (const one of waiting) {
        if (this.#socket.isClosing) return;
        if ('data' in one) this.#read(one.data, one.isBinary, context.now());
        else this.#act(one);
      }
    } catch (error) {
      this.#waiting = undefined;
      this.#failInternally(error);
    }
  }

  #admitted(start: StartMessage, { take, decline, identity }: Exclude<StartAnswer, { elsewhere: number }>): void {
    if (this.#options.socket.readyState !== this.#options.socket.OPEN) {
      decline();
      return;
    }
    const begun = beginSession(this.#options, { message: start, takePlace: take, identity });
    if ('code' in begun) decline();
    this.#attach(begun, start);
  }

  /** Hands the client over to the gateway that has its session, with what it has said so far. */
  #passOn(gateway: number, said: readonly Said[]): void {
    const { socket, transport, elsewhere } = this.#options;
    const door = elsewhere?.doorOf(gateway);
    if (!door) {
      this.refuse({ code: 'session_not_found', message: notThere });
      return;
    }
    this.#reader?.stop();
    for (const event of ['message', 'ping', 'pong'] as const) socket.removeAllListeners(event);
    const onFailed = (why: 'gone' | 'silent'): void => {
      const retryAfterMs = this.#options.context.limits.silentGatewayMs;
      if (why === 'gone') this.refuse({ code: 'session_not_found', message: notThere });
      else this.refuse({ code: 'server_busy', message: 'what has this session does not answer', retryAfterMs });
    };
    this.#relay = new Relay({ outer: socket, transport, ...door, said, onFailed });
    this.#relay.begin();
  }

  /** The session of a start; undefined: that is still being decided. */
  #findStarted(asked: StartMessage, data: Buffer | undefined): Session | Refusal | undefined {
    const { accounts, registry, admit, lane, owner, takeover, traceparent } = this.#options;
    const start = { ...asked, ...(lane && { lane }), ...spanOf(asked, traceparent) };
    const before = registry.startedBefore(start, accounts[0], owner);
    if (before) return before;
    const ask = () => admit(start, writtenLength(start.reference));
    const admitted = takeover && start.idempotency_key ? takeover.identified(start, this.#options, ask) : ask();
    if (admitted instanceof Promise) this.#decide(start, data, admitted);
    else return 'code' in admitted ? admitted : beginSession(this.#options, { message: start, takePlace: admitted });
    return undefined;
  }

  #resume(message: ResumeMessage): void {
    const { accounts, context, registry, owner, takeover } = this.#options;
    // The secret is looked at first: what others guess wrong keeps nobody out who has it.
    const here = registry.find(message, owner);
    const refusal = refusedBy(accounts, (account) => account.resume(context.now(), !('code' in here)));
    if (refusal || (!takeover && !(context.results && 'code' in here))) {
      this.#attach(refusal ?? here, message);
      return;
    }
    void this.#wait(this.#find(message, here), (found) => {
      const { socket } = this.#options;
      if (socket.readyState !== socket.OPEN) return;
      if ('finals' in found) this.#endLate(found);
      else {
        this.#rates.expectReplay(found.replayMs, context.now());
        this.#attach(found, message);
      }
    });
  }

  /** The session of a client that comes back, or what became of it after it had ended. */
  async #find(message: ResumeMessage, here: Session | Refusal): Promise<Session | LateFinals> {
    const { context, owner, takeover } = this.#options;
    const found = takeover ? await takeover.find(message, here, this.#options) : here;
    if (!('code' in found)) return found;
    const { results, limits } = context;
    if (!results) return { finals: [], refusal: found };
    return await lateFinals({ results, owner, mostBytes: limits.maxReplayBytes }, message, found);
  }

  /** Tells a client whose session is over the finals that it has not heard, and refuses it. */
  #endLate({ finals, refusal }: LateFinals): void {
    for (const final of finals) {
      this.#options.context.metrics.event('utterance_final');
      this.#sink.write(final);
    }
    this.refuse(refusal);
  }

  #failInternally(error: unknown): void {
    this.#options.context.log.error({ error: stackOf(error) }, 'a message could not be handled');
    this.#fail({ code: 'internal', message: 'the server failed on this message; the log says why' });
  }

  #fail(refusal: Refusal): void {
    if (this.#session) this.#session.fail(refusal);
    else this.refuse(refusal);
  }
}

type ResumeMessage = Extract<ClientMessage, { type: 'resume' }>;

const notThere = 'no such session: what had it is gone';

/** The close frame never came: the network went away. */
const abnormal = 1006;
