import { z } from 'zod';
import { clientMessage, type ReferenceInput, type StartMessage } from '../protocol/client-messages.ts';

/**
 * What another gateway needs to go on with a session: how it was started, and where each text began
 * whose final the client may lack. The sound from there on is the client's to send again, as is
 * what it was told; neither is kept here.
 */
export type SessionCheckpoint = {
  /** How the session was started, without its text and without keys. */
  start: Omit<StartMessage, 'reference' | 'idempotency_key' | 'return_ticket'>;
  lastEventId: number;
  /** How long ago the session began, and its first frame came, ms; undefined: none did. */
  startedAgoMs: number;
  firstFrameAgoMs: number | undefined;
  /** What `config` has changed. */
  emitIntervalMs: number;
  granularity: StartMessage['granularity'];
  /** In order, the newest last; there is always one. */
  utterances: readonly UtterancePlace[];
  /**
   * What writes its transcript, by its name in the routing policy; undefined: none decides that.
   */
  backend?: string | undefined;
};

/** Where a text begins in the sound of its session. */
export type UtterancePlace = {
  id: number;
  reference: ReferenceInput;
  place: SoundPlace;
  /** Whether its final was sent. */
  isFinal: boolean;
};

/** A place between two frames. */
export type SoundPlace = {
  epoch: number;
  /** The number of the frame behind it. */
  seq: number;
  /** Where on the epoch's sample clock the frame before it ended. */
  sample: number;
  /** The session's clock at the epoch's start, and here, ms. */
  epochStartMs: number;
  clockMs: number;
};

export function writeCheckpoint(checkpoint: SessionCheckpoint): string {
  return JSON.stringify({ version, ...checkpoint });
}

/**
 * The checkpoint in a text, or one sentence that says why this program cannot read it: another
 * version wrote it, or nobody of ours.
 */
export function readCheckpoint(text: string): SessionCheckpoint | { problem: string } {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { problem: 'it is not JSON' };
  }
  const found = z.object({ version: z.number() }).safeParse(value);
  if (!found.success) return { problem: 'it has no version' };
  if (found.data.version !== version) return { problem: `it has version ${found.data.version}, not ${version}` };
  const parsed = schema.safeParse(value);
  if (!parsed.success) return { problem: `its ${parsed.error.issues[0]?.path.join('.') || 'content'} is not readable` };
  const { version: _, start, ...rest } = parsed.data;
  const message = clientMessage.safeParse({ ...start, reference: rest.utterances[0]?.reference });
  if (!message.success || message.data.type !== 'start') return { problem: 'its start is not readable' };
  const { reference: _text, ...started } = message.data;
  return { ...rest, start: started, firstFrameAgoMs: rest.firstFrameAgoMs };
}

/** The version of what is written; a gateway of another version refuses it. */
const version = 1;

const whole = z.int().min(0);
const ms = z.number().min(0);

const schema = z.object({
  version: z.literal(version),
  start: z.looseObject({}),
  lastEventId: whole,
  startedAgoMs: ms,
  firstFrameAgoMs: ms.optional(),
  emitIntervalMs: z.int().min(20).max(1000),
  granularity: z.enum(['phoneme', 'word', 'utterance']),
  utterances: z
    .array(
      z.object({
        id: whole,
        reference: z.custom<ReferenceInput>((value) => referenceOf(value)),
        place: z.object({ epoch: whole, seq: whole, sample: whole, epochStartMs: ms, clockMs: ms }),
        isFinal: z.boolean(),
      }),
    )
    .min(1),
  backend: z.string().max(100).optional(),
});

function referenceOf(value: unknown): boolean {
  return clientMessage.safeParse({ type: 'next_utterance', reference: value }).success;
}
