import type { WireErrorCode } from './codes.ts';
import type { Deviation, PhonemeResult, UtteranceResult } from './result.ts';
import type { StageTimings } from './stages.ts';

/**
 * What the server sends, each as one JSON text message with `event_id` and `audio_ms`.
 *
 * `event_id` rises by one a session and is never reused. Two messages are no events of their own
 * and repeat an id: the `ready` after a resume carries the `last_event_id` that the client named,
 * so that a second cut amid the replay skips nothing, and an `error` before there is a session
 * carries 0. Replayed events keep their ids; ids of acks and of provisional results that were
 * overtaken are missing from a replay.
 *
 * `audio_ms` is a place on the session's clock: the client's samples from the first frame, gaps
 * included. In `phoneme_feedback`, `transcript` and `utterance_final` it is the sound that has been
 * scored; elsewhere the sound that has been read. Every `start_ms`, `end_ms` and `at_ms` is on the
 * same clock.
 */
export type ServerEvent = { event_id: number; audio_ms: number } & ServerMessage;

export type ServerMessage =
  | {
      type: 'ready';
      session_id: string;
      resume_token: string;
      resume_ttl_ms: number;
      /** The next seq that the server has not seen: 0 at start, where to go on after a resume. */
      next_seq: number;
      epoch: number;
      /**
       * The utterance that audio goes to, or that was last: after a resume it tells whether a
       * `next_utterance` arrived.
       */
      utterance_id: number;
      resumed: boolean;
      /** Where the session is, and alone can be resumed; absent: the server has no region. */
      region?: string;
      limits: SessionLimits;
      model: { name: string; version: string; provider: string; lookahead_ms: number; phones: readonly string[] };
      reference: ReferenceEcho;
      /** What writes the transcript, where a routing policy decides it. */
      backend?: string;
      /**
       * False: the model does not know the language, or has no room: a transcript is all there is.
       */
      scores_phones?: false;
    }
  | {
      type: 'ack';
      epoch: number;
      next_seq: number;
      missing: readonly [first: number, last: number][];
      buffered_ms: number;
      /**
       * Where another gateway can go on with this session: sound from this frame on has to be kept
       * for it.
       */
      keep_from?: number;
      /** The epoch of that frame, where it is not `epoch`. */
      keep_epoch?: number;
    }
  | {
      type: 'moving';
      /** Where the session goes on, at once; null: where it was found the first time. */
      resume_at: string | null;
      /** The `resume_token` there; null: the one that `ready` gave. */
      token: string | null;
    }
  | { type: 'speech'; state: 'began' | 'ended'; at_ms: number }
  | {
      type: 'transcript';
      utterance_id: number;
      rev: number;
      text: string;
      words: readonly TranscriptWord[];
      is_final: boolean;
      /** 0 to 1: share of the words that can no longer change. */
      stability: number;
      /** Where the reading has left the text so far. */
      deviations: readonly Deviation[];
      timing: StageTimings;
      /** What wrote it, where a routing policy decides it. */
      backend?: string;
    }
  | {
      type: 'phoneme_feedback';
      utterance_id: number;
      rev: number;
      /** Phones that are new or changed since the event before. */
      phonemes: readonly PhonemeResult[];
      timing: StageTimings;
    }
  | ({
      type: 'utterance_final';
      utterance_id: number;
      reason: 'finalize' | 'next_utterance' | 'close' | 'drain' | 'timeout';
      marker: string | null;
      timing: StageTimings;
      /** It was scored, or is told, after the session had ended. */
      late?: true;
      /** What was said and what wrote it, where a routing policy decides that. */
      text?: string;
      backend?: string;
    } & UtteranceResult)
  | {
      type: 'backpressure';
      level: BackpressureLevel;
      buffered_bytes: number;
      dropped: { feedback: number; transcript: number };
    }
  | {
      type: 'info';
      code: (typeof infoCodes)[number];
      message: string;
      /** With `audio_gap`: frames that never came. */
      frames?: number;
    }
  | {
      type: 'go_away';
      /** When the finals of what is open have come at the latest. */
      deadline_ms: number;
      /** `shutdown`: the server is being stopped; `overload`: it has too many. */
      reason: GoAwayReason;
      /** When there may be room again; null: not here. */
      retry_after_ms: number | null;
      /** For the start then: until a while after that time a place is kept for it. */
      return_ticket: string | null;
    }
  | { type: 'error'; code: WireErrorCode; message: string; retryable: boolean; retry_after_ms: number | null };

export const infoCodes = [
  'kept_alive',
  'config_applied',
  'audio_gap',
  'replay_truncated',
  'transcript_lost',
  'handed_over',
] as const;

export type TranscriptWord = { word_index: number; text: string; start_ms: number; end_ms: number; is_final: boolean };

/** How the server read the reference: which words, from where the pronunciation came. */
export type ReferenceEcho = {
  words: readonly { text: string; phones: readonly string[]; source: 'dictionary' | 'letter_to_sound' | 'given' }[];
};

type SessionLimits = {
  max_frame_bytes: number;
  max_session_ms: number;
  idle_timeout_ms: number;
  max_buffered_ms: number;
};

/**
 * What a client is spared. `degraded`: it reads more slowly than results come. The others are steps
 * that a server takes for everybody when it is late, each worse than the one before: larger groups
 * of sound at once; results half as often; no provisional phones and no alternatives; words without
 * phones; the newest sessions are sent away.
 */
export const backpressureLevels = [
  'none',
  'degraded',
  'larger_groups',
  'half_rate',
  'finals_only',
  'words_only',
  'shedding',
] as const;
export type BackpressureLevel = (typeof backpressureLevels)[number];

export const goAwayReasons = ['shutdown', 'overload'] as const;
type GoAwayReason = (typeof goAwayReasons)[number];
