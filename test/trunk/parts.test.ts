import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Samples } from '../../src/acoustic/engine/types.ts';
import { NodeAddresses, parseNodeSource } from '../../src/trunk/gateway/node-addresses.ts';
import { beginning, type Cursor, RetainedSound } from '../../src/trunk/gateway/retained-sound.ts';
import { TrunkBlocks, trunkBlockBytes } from '../../src/trunk/gateway/trunk-blocks.ts';
import { LeaseBook } from '../../src/trunk/node/lease-book.ts';
import { packNarrow, packWide, type SoundBytes, samplesOf } from '../../src/trunk/wire/samples.ts';

describe('leases', () => {
  it('are never more than there are slots, and never granted twice, whatever is done in whatever order', () => {
    const act = fc.oneof(
      fc.constant({ do: 'grant' } as const),
      fc.record({ do: fc.constant('release' as const), which: fc.nat(9) }),
      fc.record({ do: fc.constant('renew' as const), which: fc.nat(9) }),
      fc.record({ do: fc.constant('wait' as const), ms: fc.nat(150) }),
    );
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5 }), fc.array(act, { maxLength: 60 }), (slots, acts) => {
        const book = new LeaseBook(slots, 100);
        const ever = new Set<number>();
        /** When each lease ends that the model believes in. */
        const model = new Map<number, number>();
        let nowMs = 0;
        for (const each of acts) {
          const held = [...model.keys()];
          if (each.do === 'grant') {
            const lease = book.grant(nowMs);
            expect(lease === undefined).toBe(model.size >= slots);
            if (lease === undefined) continue;
            expect(ever.has(lease)).toBe(false);
            ever.add(lease);
            model.set(lease, nowMs + 100);
          } else if (each.do === 'wait') {
            nowMs += each.ms;
            const ended = held.filter((lease) => model.get(lease)! <= nowMs);
            expect(book.expire(nowMs)).toEqual(ended);
            for (const lease of ended) model.delete(lease);
          } else {
            const lease = held[each.which % Math.max(1, held.length)] ?? 999;
            if (each.do === 'release') {
              book.release(lease);
              model.delete(lease);
            } else {
              book.renew([lease], nowMs);
              if (model.has(lease)) model.set(lease, nowMs + 100);
            }
          }
          expect(book.free).toBe(slots - model.size);
          for (const lease of model.keys()) expect(book.has(lease)).toBe(true);
        }
      }),
    );
  });
});

describe('sound on a trunk', () => {
  it('is the same bit by bit, in two bytes a sample where it came in two', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -32_768, max: 32_767 })), (samples) => {
        const pcm = Float32Array.from(samples, (sample) => sample / 32_768);
        const packed = packSound(pcm);
        expect(packed.format).toBe('s16le');
        expect(packed.bytes).toHaveLength(2 * samples.length);
        expect(unpackSound(packed)).toEqual(Int16Array.from(samples));
        expect([...inUnits(unpackSound(packed))]).toEqual([...pcm]);
      }),
    );
    fc.assert(
      fc.property(fc.float32Array(), (pcm) => {
        const unpacked = inUnits(unpackSound(packSound(pcm)));
        expect(unpacked.map((sample) => sample + 0)).toEqual(pcm.map((sample) => sample + 0));
      }),
    );
  });
});

describe('retained sound', () => {
  const piece = fc.oneof(
    fc.record({
      kind: fc.constant('sound' as const),
      samples: fc.integer({ min: 1, max: 400 }),
      exact: fc.boolean(),
      whole: fc.boolean(),
    }),
    fc.record({ kind: fc.constant('gap' as const), ms: fc.integer({ min: 1, max: 500 }) }),
    fc.record({ kind: fc.constant('read' as const), most: fc.integer({ min: 1, max: 2000 }) }),
  );

  it('is read whole and in order by every reader, however it was cut', () => {
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
        const sound = new RetainedSound(Number.POSITIVE_INFINITY, new TrunkBlocks());
        const written: (number | string)[] = [];
        const early = beginning();
        const heardEarly: (number | string)[] = [];
        let value = 0;
        for (const each of pieces) {
          if (each.kind === 'gap') {
            sound.gap(each.ms);
            written.push(`gap ${each.ms}`);
          } else if (each.kind === 'sound') {
            value += 1;
            const pcm = new Float32Array(each.samples).fill(each.exact ? value / 1024 : Math.fround(value / 999.7));
            sound.add(each.exact && each.whole ? Int16Array.from(pcm, (sample) => sample * 32_768) : pcm);
            written.push(...pcm);
          } else {
            const taken = sound.take(early, each.most);
            heardEarly.push(...shown(taken));
          }
        }
        const late = beginning();
        expect(readAll(sound, late)).toEqual(written);
        expect([...heardEarly, ...readAll(sound, early)]).toEqual(written);
        expect(sound.isWhole).toBe(true);
      }),
    );
  });

  it('keeps to its bound by dropping the oldest that was read, and says that it is not whole', () => {
    const sound = new RetainedSound(2 * trunkBlockBytes, new TrunkBlocks());
    const cursor = beginning();
    for (let at = 0; at < 4; at += 1) sound.add(new Float32Array(trunkBlockBytes / 2).fill(at / 64));
    sound.trim(cursor);
    expect(sound.bytes).toBe(4 * trunkBlockBytes);
    expect(sound.isWhole).toBe(true);
    expect(readAll(sound, cursor)).toHaveLength(2 * trunkBlockBytes);
    sound.trim(cursor);
    expect(sound.bytes).toBe(2 * trunkBlockBytes);
    expect(sound.isWhole).toBe(false);
    expect(sound.hasMore(cursor)).toBe(false);
  });

  it('is given no more than may be sent, and goes on there', () => {
    const sound = new RetainedSound(Number.POSITIVE_INFINITY, new TrunkBlocks());
    const cursor = beginning();
    sound.add(Float32Array.from([0.25, 0.5, 0.75]));
    expect(sound.take(cursor, 0)).toBeUndefined();
    expect(shown(sound.take(cursor, 2))).toEqual([0.25, 0.5]);
    expect(sound.hasMore(cursor)).toBe(true);
    expect(shown(sound.take(cursor, 2))).toEqual([0.75]);
    expect(sound.hasMore(cursor)).toBe(false);
  });

  it('leaves its memory to the next, who hears nothing of it', () => {
    const blocks = new TrunkBlocks();
    const one = new RetainedSound(Number.POSITIVE_INFINITY, blocks);
    one.add(new Float32Array(4000).fill(0.5));
    const kept = one.take(beginning(), 1e9);
    one.clear();
    expect(one.hasMore(beginning())).toBe(false);
    const next = new RetainedSound(Number.POSITIVE_INFINITY, blocks);
    next.add(Float32Array.from([0.25]));
    const taken = next.take(beginning(), 1e9);
    expect(shown(taken)).toEqual([0.25]);
    const memory = (piece: typeof taken) => (piece?.kind === 'sound' ? piece.bytes.buffer : undefined);
    expect(memory(taken)).toBe(memory(kept));
  });

  function readAll(sound: RetainedSound, cursor: Cursor): (number | string)[] {
    const all: (number | string)[] = [];
    for (let taken = sound.take(cursor, 1e9); taken; taken = sound.take(cursor, 1e9)) all.push(...shown(taken));
    return all;
  }

  function shown(taken: ReturnType<RetainedSound['take']>): (number | string)[] {
    if (!taken) return [];
    return taken.kind === 'gap' ? [`gap ${taken.ms}`] : [...inUnits(unpackSound(taken))];
  }
});

describe('where nodes are', () => {
  it.each([
    ['node-1:8091', { kind: 'address', address: 'node-1:8091' }],
    ['127.0.0.1:8091', { kind: 'address', address: '127.0.0.1:8091' }],
    ['[::1]:8091', { kind: 'address', address: '[::1]:8091' }],
    ['unix:/run/speechfb.sock', { kind: 'address', address: 'unix:/run/speechfb.sock' }],
    ['dns:nodes.speech.svc:8091', { kind: 'dns', name: 'nodes.speech.svc', port: 8091 }],
  ])('is read from %s', (text, source) => {
    expect(parseNodeSource(text)).toEqual(source);
  });

  it.each(['', 'node', 'node:', 'node:0', 'node:65536', 'http://node:1', 'node:1/x', 'unix:', 'dns:node', 'a b:1'])(
    'is refused with what is allowed: "%s"',
    (text) => {
      expect(() => parseNodeSource(text)).toThrow(`--node "${text}" is no node`);
    },
  );

  it('keeps the addresses of a name while the name service is away', async () => {
    let answer: string[] | Error = ['10.0.0.1', 'fd00::1'];
    const nodes = new NodeAddresses([parseNodeSource('dns:nodes:81'), parseNodeSource('a:1')], async () => {
      if (answer instanceof Error) throw answer;
      return answer;
    });
    const both = ['10.0.0.1:81', '[fd00::1]:81', 'a:1'];
    expect(await nodes.find()).toEqual(both);
    answer = new Error('no answer');
    expect(await nodes.find()).toEqual(both);
    answer = ['10.0.0.2'];
    expect(await nodes.find()).toEqual(['10.0.0.2:81', 'a:1']);
  });
});

function inUnits(samples: Samples): Float32Array {
  return samples instanceof Int16Array ? Float32Array.from(samples, (sample) => sample / 32_768) : samples;
}

function packSound(pcm: Float32Array): SoundBytes {
  const narrow = new Uint8Array(2 * pcm.length);
  if (packNarrow(narrow, 0, pcm)) return { format: 's16le', bytes: narrow, from: 0, end: narrow.length };
  const wide = new Uint8Array(4 * pcm.length);
  packWide(wide, 0, pcm);
  return { format: 'f32le', bytes: wide, from: 0, end: wide.length };
}

function unpackSound({ format, bytes, from, end }: SoundBytes): Samples {
  return samplesOf(bytes.subarray(from, end), format);
}
