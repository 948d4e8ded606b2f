import { type LimitName, limitRanges } from '../protocol/limit-ranges.ts';
import { overloadLimits } from './overload-limits.ts';

/**
 * Every limit of the server, its default and why. `serve` shows some as flags; the rest are for
 * embedders and tests. A refusal always names its limit. docs/protocol.md lists them.
 */
export const defaultLimits = {
  /**
   * Sessions at once, those waiting for a resume among them. One core of the shipped model carries
   * about this many.
   */
  maxSessions: 400,
  /** Sockets at once, those that have not started yet among them. */
  maxConnections: 1000,
  /**
   * Connections that are no WebSocket (yet), in all and of one address: beyond it the oldest goes.
   * A caller who means it is through in a moment.
   */
  maxPendingConnections: 2000,
  maxPendingPerAddress: 500,
  /**
   * New connections a second of one address, and how many at once: a TLS handshake costs a
   * millisecond of the thread that owns sockets. All learners of a school may come back together.
   */
  handshakesPerSecond: 200,
  handshakeBurst: 2000,
  /** From the connection to the end of its request, TLS included, and how long its headers are. */
  handshakeTimeoutMs: 10_000,
  maxHeaderBytes: 16_384,
  /**
   * Requests of plain HTTP of one connection that may wait for their answers: Node hears all that
   * one packet brings before it answers the first, and no client that means it sends so many.
   */
  maxPipelinedRequests: 8,
  /**
   * Requests of plain HTTP a second of one address, and how many at once: whoever watches asks a
   * few times a second, and a school's apps may all fetch their results together.
   */
  requestsPerSecond: 200,
  requestBurst: 1000,
  /**
   * How long answers to plain HTTP may take in a turn of the event loop, and the share of the
   * thread's time that they may take on and on. The others wait, each address in its turn.
   */
  requestTurnMs: 1,
  requestShare: 0.1,
  /** Connections that are taken in a turn of the event loop, once a few sessions are there. */
  acceptsATurn: 16,
  /**
   * New sessions a second that may go on and on, and how many may come at once. Resumes are not
   * counted.
   */
  startsPerSecond: 50,
  startBurst: 100,
  /**
   * Share of what the others have left (of sessions, sockets, open texts) that one token or address
   * may take where there may be others: of 400 sessions one has 360 at most, and a second one still
   * gets 36. A single token, or this machine without tokens, has everything.
   */
  placeShare: 0.9,
  /**
   * Share of the places that the machine carries which one token, tenant or address keeps whoever
   * asks. While the machine is full or late, what somebody has beyond it goes, the newest first, to
   * those who have fewer. One address may be a school's: it keeps a class or two. 1: nobody who
   * speaks goes for somebody else.
   */
  guaranteedShare: 0.2,
  /** Share of the starts and of the text a second that one token or address may take, likewise. */
  rateShare: 0.5,
  /** Fixed limits of a token, and of an address; none unless they are set. */
  maxSessionsPerToken: Number.POSITIVE_INFINITY,
  maxSessionsPerAddress: Number.POSITIVE_INFINITY,
  maxConnectionsPerToken: Number.POSITIVE_INFINITY,
  maxConnectionsPerAddress: Number.POSITIVE_INFINITY,
  /**
   * Resumes a second of one token or address, and how many at once: all learners of a school may
   * come back together. Those with a wrong id or token are counted apart, by the same numbers.
   */
  resumesPerSecond: 100,
  resumeBurst: 1000,
  /**
   * Addresses whose calls are remembered beside those that have something open; one takes a
   * kilobyte.
   */
  maxAddresses: 10_000,
  /**
   * Phones of one text, all pronunciations counted. 500 ordinary words have some 3,500; every frame
   * may have to be compared with each of them.
   */
  maxTextPhones: 8000,
  /**
   * Phones of the texts of one socket that may go on and on, and how many at once: to read, search
   * and report one costs some 10 us. A reader says 12 a second.
   */
  phonesPerSecond: 2000,
  phoneBurst: 20_000,
  /** Phones of the texts that sessions of the whole server start with, likewise. */
  startPhonesPerSecond: 20_000,
  startPhoneBurst: 50_000,
  /** Phones of all texts that are open at once: all sessions with 500 words each fit. */
  maxOpenPhones: 2_000_000,
  /** Payload of one audio frame: 100 ms of 48 kHz float32 three times over. */
  maxFrameBytes: 65_536,
  /** One text message: 500 words of given phones fit. */
  maxMessageBytes: 262_144,
  /**
   * Frames and text messages a second of one socket that may go on and on, and how many at once
   * (after an outage).
   */
  framesPerSecond: 400,
  frameBurst: 10_000,
  messagesPerSecond: 20,
  messageBurst: 100,
  /** Pings and pongs of one socket, likewise: each ping asks for an answer. */
  pingsPerSecond: 20,
  pingBurst: 200,
  /** From the start, wall time. */
  maxSessionMs: 3_600_000,
  /** A socket without a frame, a message or `keep_alive`. */
  idleTimeoutMs: 60_000,
  /** A socket that has opened but neither started nor resumed. */
  startTimeoutMs: 10_000,
  /**
   * How far the audio clock may run ahead of the wall clock since the first frame: beyond it the
   * client is `too_fast`.
   */
  maxBufferedMs: 15_000,
  /** How long a session outlives its socket. */
  resumeTtlMs: 30_000,
  /** How long the model may make no progress on waiting audio, or take to finish an utterance. */
  inferenceTimeoutMs: 10_000,
  /**
   * The jitter buffer waits for a missing frame at least and at most this long; between them it
   * adapts.
   */
  minGapWaitMs: 40,
  maxGapWaitMs: 500,
  /** An acknowledgement at most this often. */
  ackIntervalMs: 200,
  heartbeatMs: 15_000,
  /**
   * Events that a session keeps for a resume; beyond it the oldest go. A minute of feedback and the
   * finals of five pages fit.
   */
  maxReplayBytes: 4_194_304,
  /**
   * Sound of an utterance that is kept for another backend, should the one that writes its
   * transcript fail: two megabytes at 16 kHz. Most texts are read in less.
   */
  retainedSoundMs: 60_000,
  /**
   * How long the final of an utterance waits for its text behind its scores: one measured timeout
   * of a backend that hangs, and the reading of the next.
   */
  transcriptWaitMs: 5000,
  /** Frames of a session that wait for one that is missing: 15 s of 48 kHz float32 fit. */
  maxHeldBytes: 4_194_304,
  /** Unsent bytes of a socket beyond which partial results wait and merge. */
  congestedBytes: 65_536,
  /**
   * Unsent bytes, and time in congestion, beyond which a reader is cut off; its session can be
   * resumed.
   */
  maxUnsentBytes: 1_048_576,
  slowReaderMs: 30_000,
  /**
   * The engine has no room for another session when both are exceeded: chunk to result at p95, and
   * share of time busy.
   */
  busyStepP95Ms: 100,
  busyShare: 0.85,
  /**
   * How long the engine's thread may say nothing: beyond it no session starts and the server is not
   * ready.
   */
  silentModelMs: 2_000,
  /** How long a scoring thread that has something to do may say nothing, likewise. */
  silentScoringMs: 2_000,
  /**
   * Utterances of a session that have ended and whose finals are not there yet: what was read in an
   * outage comes at once, one word a time at most.
   */
  maxFinishing: 32,
  ...overloadLimits,
  /** How long a refused client is asked to wait. */
  busyRetryMs: 5_000,
  /**
   * How long one of several gateways may say nothing before connections go to others, and before
   * its process is ended and started again. One that works says ten times a second that it lives.
   */
  silentGatewayMs: 1000,
  hungGatewayMs: 10_000,
  /** SIGTERM: how long sessions have to get their finals. */
  drainMs: 10_000,
} as const satisfies Record<string, number>;

/**
 * All limits of a server of which some are given. Connections follow sessions that are given alone,
 * as many for each as by default: who asks for 2000 sessions wants all of them to be let in.
 */
export function limitsFrom(given: Partial<Limits> = {}): Limits {
  const limits: Limits = { ...defaultLimits, ...given };
  const each = defaultLimits.maxConnections / defaultLimits.maxSessions;
  if (given.maxConnections !== undefined || limits.maxSessions * each <= limits.maxConnections) return limits;
  return {
    ...limits,
    maxConnections: Math.min(limitRanges.max_connections.most, Math.ceil(limits.maxSessions * each)),
  };
}

/** A limit as docs/protocol.md and `--limit` name it: `idle_timeout_ms` for `idleTimeoutMs`. */
export function wireName<Name extends keyof Limits>(limit: Name): SnakeCase<Name> {
  return limit.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`) as SnakeCase<Name>;
}

export type Limits = { readonly [Name in keyof typeof defaultLimits]: number };

type SnakeCase<Text extends string> = Text extends `${infer Letter}${infer Rest}`
  ? `${Letter extends Lowercase<Letter> ? Letter : `_${Lowercase<Letter>}`}${SnakeCase<Rest>}`
  : '';

/** All limits of a server by their wire names, for whoever watches it. */
export function limitsByWireName(limits: Limits): Record<LimitName, number> {
  const all = Object.keys(limits) as (keyof Limits)[];
  return Object.fromEntries(all.map((limit) => [wireName(limit), limits[limit]])) as Record<
    SnakeCase<keyof Limits>,
    number
  >;
}
