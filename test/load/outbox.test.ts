import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { backoffMs } from '../../src/load/backoff.ts';
import { Outbox } from '../../src/load/outbox.ts';
import { frameFlags } from '../../src/protocol/frame.ts';

const frame = { payload: new Uint8Array(640).fill(3), crc32: 17 };

describe('the outbox', () => {
  test('numbers frames on the sample clock', () => {
    const outbox = new Outbox('pcm_s16le');
    const headers = [frame, { ...frame, payload: frame.payload.subarray(320) }, frame].map((one) => ({
      ...outbox.add(one),
    }));
    expect(headers).toMatchObject([
      { seq: 0, firstSample: 0, epoch: 0, flags: 0 },
      { seq: 1, firstSample: 320 },
      { seq: 2, firstSample: 480 },
    ]);
  });

  test('sends again from where the server wants to go on, marked', () => {
    const outbox = new Outbox('pcm_s16le');
    for (let i = 0; i < 10; i++) outbox.add(frame);
    outbox.acknowledge(4);
    const again = outbox.retransmit(7);
    expect(again.map(({ seq }) => seq)).toEqual([7, 8, 9]);
    expect(again.every(({ flags }) => flags === frameFlags.retransmit)).toBe(true);
    expect(outbox).toMatchObject({ sent: 10, unacked: 3, resent: 3 });
  });

  test('lets the sample clock run on over sound that is never sent, and marks the frame after it', () => {
    const outbox = new Outbox('pcm_s16le');
    outbox.add(frame);
    outbox.skip(2 * frame.payload.length);
    const [, after, next] = [outbox.add(frame), outbox.add(frame), outbox.add(frame)];
    const [one, two] = outbox.kept();
    expect([one!.flags, two!.flags]).toEqual([0, frameFlags.discontinuity]);
    expect(two!.seq).toBe(1);
    expect(two!.firstSample).toBe((3 * frame.payload.length) / 2);
    expect([after, next].map((message) => message!.flags)).toEqual([0, 0]);
  });

  test('keeps exactly what no ack has covered, whatever the acks say', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -1, max: 40 })), (acks) => {
        const outbox = new Outbox('pcm_s16le');
        for (let i = 0; i < 30; i++) outbox.add(frame);
        for (const ack of acks) outbox.acknowledge(ack);
        const covered = Math.min(30, Math.max(0, ...acks));
        expect(outbox.unacked).toBe(30 - covered);
        expect(outbox.kept().map(({ seq }) => seq)).toEqual(
          Array.from({ length: 30 - covered }, (_, i) => covered + i),
        );
      }),
    );
  });
});

test.each([
  ['the first try waits half to all of the first delay', 0, 0, 100],
  ['with the largest draw all of it', 0, 1, 200],
  ['the third has doubled twice', 2, 1, 800],
  ['no try waits longer than the cap', 20, 1, 5000],
])('backoff: %s', (_, attempt, draw, expected) => {
  expect(backoffMs(attempt, () => draw)).toBe(expected);
});
