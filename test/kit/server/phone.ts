import type { PhonemeResult } from '../../../src/protocol/result.ts';
import type { WrittenPhones } from '../../../src/protocol/written-phones.ts';

/** A phone of a reading, as an event carries it. */
export function phoneResult(index: number, status: PhonemeResult['status'] = 'provisional'): PhonemeResult {
  return {
    index,
    word_index: 0,
    phoneme: 'A',
    start_ms: 20 * index,
    end_ms: 20 * index + 20,
    status,
    gop: -0.5,
    accuracy: 50,
    confidence: 0.5,
    error_type: 'none',
    nbest: [{ phoneme: 'A', score: 0.9 }],
  };
}

/** The phones of a feedback, read again. */
export function phonesOf({ phones }: { phones: WrittenPhones }): PhonemeResult[] {
  return JSON.parse(`[${phones.text}]`);
}
