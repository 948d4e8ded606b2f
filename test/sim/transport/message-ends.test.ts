import fc from 'fast-check';
import { expect, it } from 'vitest';
import { MessageEnds } from '../../../src/sim/transport/message-ends.ts';

it('messages are whole in order, each when its last byte has come, whatever their sizes', () => {
  const size = fc.oneof(fc.constant(648), fc.integer({ min: 1, max: 2000 }));
  const step = fc.oneof(
    size.map((bytes) => ({ bytes, received: 0 })),
    fc.double({ min: 0, max: 1, noNaN: true }).map((received) => ({ bytes: 0, received })),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
      const ends = new MessageEnds();
      const written: number[] = [];
      let received = 0;
      for (const { bytes, received: share } of steps) {
        const end = written.at(-1) ?? 0;
        if (bytes > 0) {
          written.push(end + bytes);
          ends.push(end + bytes);
        } else {
          received = Math.max(received, Math.floor(end * share));
          while (ends.take(received));
          expect(ends.next).toBe(written.filter((one) => one <= received).length);
        }
      }
    }),
  );
});
