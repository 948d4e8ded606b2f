import { expect, it } from 'vitest';
import { deadLetterOf, replayOf, stubOf } from '../../src/queue/dead-letter.ts';

const delivery = {
  key: 'a',
  value: Buffer.alloc(5000),
  headers: { lane: 'x'.repeat(5000) },
  place: '0:7',
  appendedMs: 1,
};

it('a letter that is too large is put aside without its content, and says where that is', () => {
  expect(stubOf(deadLetterOf(delivery, 'it is no record', 2))).toEqual({
    key: 'a',
    value: new Uint8Array(0),
    headers: {
      'dead-reason': 'it is no record; 5000 bytes are too many to be put aside: they stay where they lay',
      'dead-from': '0:7',
      'dead-tries': '2',
    },
  });
});

it('a key that is too large is left there as well', () => {
  expect(stubOf(deadLetterOf({ ...delivery, key: 'k'.repeat(5000) }, 'why', undefined)).key).toBe('');
});

it('a letter goes back without what was said of it, but for which it was', () => {
  const headers = {
    lane: 'batch',
    'dead-reason': 'why',
    'dead-from': '0:1',
    unreadable: 'why',
    'replay-of': 'another',
  };
  expect(replayOf({ ...delivery, headers }).headers).toEqual({ lane: 'batch', 'replay-of': '0:7@1' });
});
