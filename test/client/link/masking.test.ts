import fc from 'fast-check';
import { expect, it } from 'vitest';
import { mask, maskInScript } from '../../../src/client/link/websocket-writer.ts';

it('masks the same with machine code as without', () => {
  const bytes = fc.uint8Array({ maxLength: 2000 });
  const key = fc.uint8Array({ minLength: 4, maxLength: 4 });
  fc.assert(
    fc.property(bytes, key, fc.nat(9), (source, four, offset) => {
      const [fast, plain] = [Buffer.alloc(source.length + 10), Buffer.alloc(source.length + 10)];
      mask(Buffer.from(source), Buffer.from(four), fast, offset, source.length);
      maskInScript(source, four, plain, offset, source.length);
      expect(fast.equals(plain)).toBe(true);
      expect(plain.subarray(offset, offset + source.length).map((byte, i) => byte ^ four[i & 3]!)).toEqual(
        Buffer.from(source),
      );
    }),
    { seed: 7 },
  );
});
