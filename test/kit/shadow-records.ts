import { createHash } from 'node:crypto';
import type { ShadowRecord, ShadowSide } from '../../src/shadow/record.ts';

export const shadowSide = (over: Partial<ShadowSide> = {}): ShadowSide => ({
  ...{ backend: 'own', model: null, words: 10, wrong: 1, final_ms: 300, audio_ms: 4000, dollars: 0.0001, failed: null },
  ...over,
});

/** A record of a learner; by default nothing differs. */
export function shadowRecordOf(learner: number, over: Partial<ShadowRecord> = {}): ShadowRecord {
  const name = createHash('sha256').update(`${learner}`).digest('hex').slice(0, 16);
  return {
    ...{ v: 1, at: '2027-01-31T12:00:00.000Z', learner: name, session: name, utterance: 0, language: 'en' },
    ...{ variant: null, canary: null, words: 10, between: 0, phones: null },
    served: shadowSide(),
    shadow: shadowSide({ backend: 'next' }),
    ...over,
  };
}
