import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { backoffMs } from '../../src/backoff.ts';
import { SoundFrames } from '../../src/client/frames.ts';
import { ClientOutbox } from '../../src/client/outbox.ts';
import { type ChecksummedFrame, frameFlags } from '../../src/protocol/frame.ts';

/** Two seconds in frames of 320 samples, and the same in frames of half that. */
const pcm = { pcm: new Uint8Array(64_000).map((_, i) => i >> 6), sampleRateHz: 16_000 };
const sounds = new SoundFrames(pcm, 20);
const halves = new SoundFrames(pcm, 10);
const silence = 2 * sounds.bytesAFrame;

describe('the outbox', () => {
  it('numbers frames on the sample clock', () => {
    const outbox = new ClientOutbox('pcm_s16le');
    const headers = [sounds, halves, sounds].map((recording, index) => outbox.add(recording, index));
    expect(headers).toMatchObject([
      { seq: 0, firstSample: 0, epoch: 0, flags: 0 },
      { seq: 1, firstSample: 320 },
      { seq: 2, firstSample: 480 },
    ]);
  });

  it('sends again from where the server wants to go on, marked', () => {
    const outbox = new ClientOutbox('pcm_s16le');
    for (let i = 0; i < 10; i++) outbox.add(sounds, i);
    outbox.acknowledge(4);
    const again = outbox.retransmit(7);
    expect(again.map(({ seq }) => seq)).toEqual([7, 8, 9]);
    expect(again.every(({ flags }) => flags === frameFlags.retransmit)).toBe(true);
    expect(outbox).toMatchObject({ sent: 10, unacked: 3, resent: 3 });
  });

  it('lets the sample clock run on over sound that is never sent, and marks the frame after it', () => {
    const outbox = new ClientOutbox('pcm_s16le');
    outbox.add(sounds, 0);
    outbox.skip(silence);
    const [, after, next] = [3, 4, 5].map((index) => outbox.add(sounds, index));
    const [one, two] = outbox.kept();
    expect([one!.flags, two!.flags]).toEqual([0, frameFlags.discontinuity]);
    expect(two!.seq).toBe(1);
    expect(two!.firstSample).toBe(3 * 320);
    expect([after, next].map((message) => message!.flags)).toEqual([0, 0]);
  });

  it('takes a number and its samples for a frame that is lost, and never sends it', () => {
    const outbox = new ClientOutbox('pcm_s16le');
    outbox.add(sounds, 0);
    outbox.lose(sounds, 1);
    expect(outbox.add(sounds, 2)).toMatchObject({ seq: 2, firstSample: 640, flags: 0 });
    expect(outbox.retransmit(0).map(({ seq }) => seq)).toEqual([0, 2]);
    expect(outbox).toMatchObject({ sent: 3, lost: 1, unacked: 2, lostUnacked: 1, resent: 2 });
    outbox.acknowledge(2);
    expect(outbox).toMatchObject({ sent: 3, lost: 1, unacked: 1, lostUnacked: 0 });
  });

  it('keeps exactly the frames that no ack has covered, as they were sent, whatever is said, lost, skipped and acknowledged', () => {
    const step = fc.oneof(
      fc.record({ add: fc.constantFrom(sounds, halves), index: fc.integer({ min: 0, max: 5 }), times: fc.nat(5) }),
      fc.record({ lose: fc.constantFrom(sounds, halves), index: fc.integer({ min: 0, max: 5 }), times: fc.nat(3) }),
      fc.record({ skip: fc.nat(3) }),
      fc.record({ ack: fc.integer({ min: -1, max: 40 }) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        const outbox = new ClientOutbox('pcm_s16le');
        const sent: (ChecksummedFrame | undefined)[] = [];
        let acked = 0;
        for (const one of steps) {
          if ('add' in one) for (let i = 0; i < one.times; i++) sent.push(outbox.add(one.add, one.index + i));
          else if ('lose' in one) {
            for (let i = 0; i < one.times; i++) outbox.lose(one.lose, one.index + i);
            sent.push(...Array.from({ length: one.times }, () => undefined));
          } else if ('skip' in one) outbox.skip(one.skip * silence);
          else {
            outbox.acknowledge(one.ack);
            acked = Math.max(acked, Math.min(one.ack, sent.length));
          }
        }
        const kept = sent.slice(acked).filter((frame) => frame !== undefined);
        expect(outbox.kept()).toEqual(kept);
        const lost = sent.filter((frame) => frame === undefined).length;
        expect(outbox).toMatchObject({ sent: sent.length, lost, unacked: kept.length });
      }),
      { numRuns: 300 },
    );
  });
});

it.each([
  ['the first try waits half to all of the first delay', 0, 0, 100],
  ['with the largest draw all of it', 0, 1, 200],
  ['the third has doubled twice', 2, 1, 800],
  ['no try waits longer than the cap', 20, 1, 5000],
])('backoff: %s', (_, attempt, draw, expected) => {
  expect(backoffMs(attempt, () => draw)).toBe(expected);
});
