import type { StageTimings } from '../../protocol/stages.ts';
import type { RemoteSpan } from './traceparent.ts';

/** What a span says beside its name and its times; never sound, texts, scores, tokens or users. */
export type SpanAttributes = Readonly<Record<string, string | number | boolean>>;

/**
 * Follows sessions and their utterances, and keeps the traces that are worth it. All times are on
 * the server's monotonic clock, ms.
 */
export type Tracing = {
  begin(session: BegunSessionTrace): SessionTrace;
  /** A call that was made to another program for a session, which may not have begun yet. */
  call(sessionId: string, call: TracedCall): void;
  /** What became of spans so far. */
  spans(): SpanCounts;
};

/** How many spans the receiver took, did not take, and how many found no room to wait in. */
export type SpanCounts = { exported: number; failed: number; dropped: number };

export type BegunSessionTrace = {
  sessionId: string;
  startMs: number;
  /** The span of its client; absent: its trace begins here. */
  parent?: RemoteSpan | undefined;
  attributes: SpanAttributes;
};

/** A call to another program, named as the semantic conventions for its protocol want it. */
export type TracedCall = {
  name: string;
  startMs: number;
  endMs: number;
  attributes: SpanAttributes;
  /** Why it failed, as few words for few reasons. */
  failure?: string | undefined;
};

/** A partial result as its stages made it. */
export type TracedFeedback = {
  type: 'phoneme_feedback' | 'transcript';
  /** How long the frame is that brought its sound; absent: that is not known. */
  captureMs?: number | undefined;
  /** When the frame that it waited for was read from the socket. */
  arrivedMs: number;
  /** When it was written to the socket. */
  writtenMs: number;
  timing: StageTimings;
};

/** One session; utterances go by their numbers. */
export type SessionTrace = {
  /**
   * Gives the `traceparent` of the utterance, for whoever does a part of it elsewhere; its flag
   * says whether it is sure to be kept.
   */
  utteranceBegun(utterance: number, startMs: number): string;
  /** Gives the trace of the utterance when that is sure to be kept. */
  feedback(utterance: number, feedback: TracedFeedback): string | undefined;
  /** Its client has ended it, for that reason: its final is due. */
  utteranceEnded(utterance: number, reason: string, atMs: number): void;
  /** It is handed over to be scored later. */
  utteranceHanded(utterance: number): void;
  /** Its final is out. */
  utteranceFinal(utterance: number, atMs: number): void;
  /** Nothing more comes; `failure`: the code of the error that ended it. */
  end(atMs: number, failure: string | undefined): void;
};

/** Follows messages through a queue that outlives whoever has it. */
export type MessageTracing = { message(begun: BegunMessage): MessageTrace };

export type BegunMessage = {
  operation: 'send' | 'process';
  /** The topic. */
  destination: string;
  /** The `traceparent` of the span that it is below; absent or malformed: its trace begins here. */
  parent?: string | undefined;
  /** That of the span, of another trace, which has sent the message. */
  link?: string | undefined;
  attributes: SpanAttributes;
};

/** A message that is being sent or worked on. */
export type MessageTrace = {
  /** For whoever gets the message, and for what is below this. */
  readonly traceparent: string;
  /** Begins a part of the work. Gives what ends it, with why where it failed. */
  part(name: string): (failure?: string) => void;
  /** It is over; `failure`: why not as it should, as few words for few reasons. */
  end(failure?: string): void;
};

/** Follows what gateways have scored at this node. */
export type NodeTracing = {
  /** Undefined: what the gateway says of its span cannot be read. */
  utterance(begun: BegunNodeTrace): NodeTrace | undefined;
};

export type BegunNodeTrace = {
  /** The utterance's span at its gateway. */
  traceparent: string;
  startMs: number;
  attributes: SpanAttributes;
};

/** The scoring of one utterance at a node. */
export type NodeTrace = {
  /** A partial result that was worked out at `atMs`. */
  feedback(atMs: number, timing: StageTimings): void;
  /** No more sound comes: the result is due. */
  ended(atMs: number): void;
  /**
   * Nothing more comes; only the first call counts. `final`: the result is out; `closed`: the
   * gateway does not want it any more; else the code of the error that ended it.
   */
  end(atMs: number, outcome: string): void;
};
