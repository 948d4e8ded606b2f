import { SpeechfbError } from '../../errors.ts';
import type { ClientMessage, ReferenceInput } from '../../protocol/client-messages.ts';
import { closeCodes } from '../../protocol/codes.ts';
import type { Refusal } from '../refusal.ts';
import type { Scoring } from './context.ts';
import type { Outbox } from './outbox.ts';
import type { Reading } from './reading.ts';
import { referenceRefusal } from './replies.ts';
import type { FinalReason, Granularity } from './utterance.ts';

/** What a session lets its client's messages do. */
export type ControlOptions = {
  reading: Reading;
  outbox: Outbox;
  /** Changed by `config`. */
  settings: { emitIntervalMs: number; granularity: Granularity };
  readReference: Scoring['readReference'];
  acknowledge(): void;
  tellGap(ms: number, frames: number): void;
  end(reason: FinalReason, how: Closing | Refusal): void;
  fail(refusal: Refusal): void;
  failInternally(error: unknown): void;
};

/** How a socket is closed when all was said. */
export type Closing = { code: number; reason: string };

/** Obeys the messages of a session that has started. */
export function createControls(options: ControlOptions): (message: ClientMessage) => void {
  const { reading, outbox, settings, acknowledge, end, fail } = options;
  return (message) => {
    switch (message.type) {
      case 'start':
      case 'resume':
        fail({ code: 'protocol_order', message: `"${message.type}" came in a session that has started` });
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
        nextUtterance(message.reference);
        break;
      case 'finalize':
        reading.finish('finalize', message.marker ?? null);
        acknowledge();
        break;
      case 'close':
        reading.finish('close', null);
        tellLost(message.last_seq);
        acknowledge();
        end('close', { code: closeCodes.normal, reason: 'done' });
        break;
      default:
        message satisfies never;
    }
  };

  function nextUtterance(input: ReferenceInput): void {
    try {
      reading.next(options.readReference(input));
    } catch (error) {
      if (error instanceof SpeechfbError) end('next_utterance', referenceRefusal(error));
      else options.failInternally(error);
      return;
    }
    acknowledge();
  }

  function tellLost(lastSeq: number | undefined): void {
    const { nextSeq } = reading.checkpoint();
    if (lastSeq !== undefined && lastSeq >= nextSeq) options.tellGap(0, lastSeq - nextSeq + 1);
  }
}

const configText = 'granularity holds from now on, emit_interval_ms from the next utterance on';
