import type { EncodedSound, Outgoing, SoundFormat } from './sound.ts';

/**
 * How far into the sound the messages of a server are known to reach, from the best to the weakest:
 * a time that stands in the message (`field`), as many sent messages as there were answers
 * (`replies`), the end of the last reference word that its text shows (`words`), or nothing but the
 * whole utterance (`final`).
 */
export const reaches = ['field', 'replies', 'words', 'final'] as const;
export type Reach = (typeof reaches)[number];

/**
 * How one kind of streaming speech server is spoken to. It holds its options, is shared by all
 * sessions, and does no I/O: values in, messages out.
 */
export type Dialect = {
  /** As `target.protocol` names it; for messages to people. */
  readonly name: string;
  /** What the server wants to hear, and how one message of sound is made. */
  readonly audio: SoundFormat;
  readonly tells: Tells;
  /**
   * How many utterances one connection takes: `session` any number, one after the other;
   * `utterance` one, so that the next needs a connection of its own. Default `session`.
   */
  readonly connectionFor?: 'session' | 'utterance';
  /** What carries its messages. Default `websocket`; for `grpc`, `connect` names the method. */
  readonly carrier?: 'websocket' | 'grpc';
  /** What the upgrade asks for, or the call. */
  connect(session: SessionInput): ConnectRequest;
  /** The state of one connection, from before it opens. */
  speaker(session: SessionInput): Speaker;
};

/** What a server says of itself, so that it is known what can be measured. */
export type Tells = {
  reach: Reach;
  /** Text comes while the utterance is being spoken, and not only at its end. */
  partials: boolean;
};

/** What one connection is for. */
export type SessionInput = {
  /** The dialect's `audio.sampleRateHz`. */
  sampleRateHz: number;
  /** BCP 47, as `en-US`. */
  language: string;
  /** What will be read first. */
  reference: ReferenceText;
  /** A name of this connection that no other has. */
  session: string;
};

/** What the learner reads. */
export type ReferenceText = { text: string };

export type ConnectRequest = {
  /** For a target URL that has none, as `/v1/listen`. */
  path?: string;
  /** Parameters of the query; those that the target URL has already are left as they are. */
  query?: Readonly<Record<string, string>>;
  headers?: Readonly<Record<string, string>>;
  /** Offered to the server, which may take one of them or none. */
  subprotocols?: readonly string[];
  /**
   * The call that is made in place of an upgrade; headers go into its metadata. Texts that are sent
   * and heard are its messages as JSON.
   */
  grpc?: GrpcMethod;
};

/** A method of gRPC whose two sides stream, and how its messages are written and read. */
export type GrpcMethod = {
  /** `/package.Service/Method`. */
  readonly path: string;
  /**
   * The bytes of a request that is given as a JSON object, or as one whose fields of bytes are
   * bytes.
   */
  encode(request: unknown): Uint8Array;
  /**
   * A response as JSON: fields by their names in the .proto, values of an enum by theirs, bytes in
   * base64, a `google.protobuf.Duration` or `Timestamp` as its seconds. Scalars that were not set
   * have their default, messages that were not set are absent. Undefined for bytes that are no
   * response.
   */
  decode(response: Uint8Array): string | undefined;
};

/**
 * One connection as the app's side of a dialect sees it. Pure: it is told what happens, in order,
 * and answers with what to send. Times of the sound are ms of sound sent on this connection,
 * counted from its first sample, whatever was held back by the app.
 */
export type Speaker = {
  /** The connection is open. */
  opened(): readonly Outgoing[];
  /**
   * Sound flows from the start: `opened` leads to no `ready`. Else the app keeps its sound until
   * `heard` tells of one.
   */
  readonly readyAtOnce: boolean;
  /** Frame `index` of a recording is due. Undefined: it is kept, to go with the next one. */
  audio(sound: EncodedSound, index: number): Outgoing | undefined;
  /** The last frame of the utterance has been sent, or broken off. */
  utteranceOver(): readonly Outgoing[];
  /** The next utterance begins; it ends the one before if `utteranceOver` was not called. */
  next(reference: ReferenceText): readonly Outgoing[];
  /** Nothing has been sent for `ms`; called about once a second while that lasts. */
  quiet(ms: number): readonly Outgoing[];
  /**
   * An utterance is over, and the server has had nothing more to say for a while: its final, if all
   * that was heard of it was settled already. So servers do that find the ends of turns themselves.
   */
  unanswered?(): HeardText | undefined;
  /**
   * The server has ended the connection as agreed, and nothing more comes: the final of the
   * utterance that is over, where that is what ends it.
   */
  ended?(): HeardText | undefined;
  /**
   * All is said and heard. With messages the server is given time to close; without, the app closes
   * at once.
   */
  close(): readonly Outgoing[];
  /**
   * What a message means, in order; a string came as a text, bytes as a binary message. It throws
   * nothing whatever comes.
   */
  heard(message: string | Uint8Array): readonly Heard[];
};

/** What one message of a server was taken for; a message may be several of them. */
export type Heard =
  /** The server takes sound from now on. */
  | { is: 'ready' }
  | HeardText
  /** Says how far the server has heard, and shows no text. */
  | { is: 'ack'; coversMs: number }
  | HeardError
  /** The protocol wants this to be said now. */
  | { is: 'answer'; send: readonly Outgoing[] }
  /** A message that is known, and that measures nothing. */
  | { is: 'nothing' }
  /** No rule is for it, it is no JSON, or what it should hold is not there. */
  | { is: 'not understood'; problem: string };

/** Text as an app would show it once the message has come. */
export type HeardText = {
  /** `final`: nothing more comes of this utterance. */
  is: 'partial' | 'final';
  /** The place of the utterance on this connection, from 0. */
  utterance: number;
  /** The whole text of the utterance so far, what the server had settled before included. */
  text: string;
  /** How much of `text`, from its beginning, the server will not change any more, in characters. */
  settled: number;
  /**
   * How far into the sound of the connection the message reaches, ms; absent where the server does
   * not say.
   */
  coversMs?: number;
  /** The words that this message tells one by one. */
  words?: readonly HeardWord[];
  /** What the server says of its own time, ms, by stages of its own naming. */
  stagesMs?: Readonly<Record<string, number>>;
};

export type HeardWord = {
  text: string;
  /** In the sound of the connection, ms; absent where the server does not say. */
  endMs?: number;
  /** The server will not change it any more. */
  final: boolean;
};

/**
 * What a server has against us, in its own words. Before `ready` it is a refusal of the session.
 */
export type HeardError = {
  is: 'error';
  message: string;
  code?: string;
  /** It may take the session later, and how long it asks to wait, ms. */
  retryable?: boolean;
  retryAfterMs?: number;
};
