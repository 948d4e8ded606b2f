import type { ReferenceInput, StartMessage } from '../../protocol/client-messages.ts';

/** What the protocols of others leave open of a start. */
export type ForeignStart = {
  rateHz: number;
  language: string;
  reference: ReferenceInput;
  granularity: StartMessage['granularity'];
};

/**
 * The start of a session whose client speaks another protocol: 16-bit sound, feedback each 100 ms.
 */
export function foreignStart({ rateHz, language, reference, granularity }: ForeignStart): StartMessage {
  return {
    type: 'start',
    protocol: 'speechfb.v1',
    audio: { encoding: 'pcm_s16le', sample_rate: rateHz, channels: 1 },
    language,
    reference,
    granularity,
    emit_interval_ms: 100,
    lane: 'live',
  };
}
