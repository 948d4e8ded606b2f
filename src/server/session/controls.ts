import type { ClientMessage, ReferenceInput } from '../../protocol/client-messages.ts';
import { closeCodes } from '../../protocol/codes.ts';
import type { Refusal } from '../refusal.ts';
import type { Acknowledger } from './acknowledger.ts';
import type { OpenText } from './open-text.ts';
import type { Outbox } from './outbox.ts';
import type { SessionAudio } from './session-audio.ts';
import type { SessionEnd } from './session-end.ts';
import type { SessionSettings } from './utterance.ts';

/** The parts of a session that its client's messages act on. */
export type ControlledSession = {
  audio: SessionAudio;
  outbox: Outbox;
  acks: Acknowledger;
  ending: SessionEnd;
  /** Settings of the session, changed by `config`. */
  settings: SessionSettings;
  /** Reads the text of the next utterance, at the client's cost. */
  openText(input: ReferenceInput): OpenText | Refusal;
};

/** Carries out a message of a session that has started. */
export function handleControl(session: ControlledSession, message: ClientMessage): void {
  const { outbox, settings, ending } = session;
  switch (message.type) {
    case 'start':
    case 'resume':
      ending.fail({ code: 'protocol_order', message: `"${message.type}" came in a session that has started` });
      break;
    case 'config':
      settings.emitIntervalMs = message.emit_interval_ms ?? settings.emitIntervalMs;
      settings.granularity = message.granularity ?? settings.granularity;
      outbox.send({ type: 'info', code: 'config_applied', message: configText });
      break;
    case 'keep_alive':
      outbox.sendPassing({ type: 'info', code: 'kept_alive', message: 'the idle time starts anew' });
      break;
    case 'next_utterance':
      nextUtterance(session, message.reference);
      break;
    case 'finalize':
      finalize(session, message.marker ?? null);
      break;
    case 'close':
      close(session, message.last_seq);
      break;
    default:
      message satisfies never;
  }
}

const configText = 'granularity holds from now on, emit_interval_ms from the next utterance on';

function nextUtterance({ audio, acks, ending, openText }: ControlledSession, input: ReferenceInput): void {
  const crowded = audio.crowded();
  if (crowded) {
    ending.fail(crowded);
    return;
  }
  const text = openText(input);
  if ('code' in text) {
    // Who reads well and sends one bad text gets what was read; who floods gets no more work done.
    if (text.code === 'invalid_reference') ending.afterFinals('next_utterance', text);
    else ending.fail(text);
    return;
  }
  const refusal = audio.next(text);
  if (refusal) ending.fail(refusal);
  else acks.send('at once');
}

function finalize({ audio, acks, ending }: ControlledSession, marker: string | null): void {
  const refusal = audio.finish('finalize', marker);
  if (refusal) ending.fail(refusal);
  else acks.send('at once');
}

function close({ audio, acks, ending }: ControlledSession, lastSeq: number | undefined): void {
  const refusal = audio.finish('close', null);
  if (refusal) {
    ending.fail(refusal);
    return;
  }
  const wrong = lastSeq === undefined ? undefined : audio.giveUpTo(lastSeq);
  acks.send('at once');
  ending.afterFinals('close', wrong ?? { code: closeCodes.normal, reason: 'done' });
}
