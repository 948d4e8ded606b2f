import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AudioFrame } from '../../../src/protocol/frame.ts';
import { JitterBuffer, type Released } from '../../../src/server/session/jitter-buffer.ts';

const samples = 320;

describe('the jitter buffer', () => {
  it('lets frames that are in order through at once', () => {
    const buffer = create();
    expect([0, 1, 2].map((seq) => buffer.add(frame(seq), 0))).toEqual(['accepted', 'accepted', 'accepted']);
    expect(shown(buffer.release(0))).toEqual(['0', '1', '2']);
    expect(buffer.checkpoint()).toEqual({ epoch: 0, nextSeq: 3, missing: [] });
  });

  it('holds what came early and names what is missing', () => {
    const buffer = create();
    expect([0, 3, 6].map((seq) => buffer.add(frame(seq), 0))).toEqual(['accepted', 'early', 'early']);
    expect(shown(buffer.release(0))).toEqual(['0']);
    expect(buffer.checkpoint()).toEqual({
      epoch: 0,
      nextSeq: 1,
      missing: [
        [1, 2],
        [4, 5],
      ],
    });
  });

  it('names what is missing in order, whatever order the others came in', () => {
    const buffer = create();
    for (const seq of [7, 3, 4, 12]) buffer.add(frame(seq), 0);
    expect(buffer.checkpoint().missing).toEqual([
      [0, 2],
      [5, 6],
      [8, 11],
    ]);
  });

  it('holds a frame once', () => {
    const buffer = create();
    expect([2, 2].map((seq) => buffer.add(frame(seq), 0))).toEqual(['early', 'duplicate']);
  });

  it('has nothing to give when nothing is held, however long ago the last frame came', () => {
    const buffer = create();
    buffer.add(frame(0), 0);
    expect([0, 10_000].map((nowMs) => buffer.release(nowMs).length)).toEqual([1, 0]);
    expect(buffer.flush(20_000)).toEqual([]);
  });

  it('gives up what never came up to the last frame, which is late when it comes', () => {
    const buffer = create();
    for (const seq of [0, 2]) buffer.add(frame(seq), 0);
    expect(shown(buffer.giveUpTo(4, 10) as Released[])).toEqual([
      '0',
      'gap of 1 frame, 320 samples',
      '2',
      'gap of 2 frames, 0 samples',
    ]);
    expect(buffer.checkpoint()).toEqual({ epoch: 0, nextSeq: 5, missing: [] });
    expect([3, 4, 4].map((seq) => buffer.add(frame(seq), 20))).toEqual(['late', 'late', 'duplicate']);
    expect(buffer.giveUpTo(4, 30)).toEqual([]);
    expect(buffer.giveUpTo(-1, 30)).toEqual([]);
  });

  it('waits for each hole by itself: from when it was missed, or from when the one before it was filled', () => {
    const buffer = create();
    for (const [seq, atMs] of [
      [0, 0],
      [2, 10],
      [4, 50],
    ] as const)
      buffer.add(frame(seq), atMs);
    expect(shown(buffer.release(129))).toEqual(['0']);
    expect(shown(buffer.release(130))).toEqual(['gap of 1 frame, 320 samples', '2']);
    expect(shown(buffer.release(249))).toEqual([]);
    expect(shown(buffer.release(250))).toEqual(['gap of 1 frame, 320 samples', '4']);
  });

  it('goes on waiting for one hole when the frame of another comes', () => {
    const buffer = create();
    for (const [seq, atMs] of [
      [1, 0],
      [4, 0],
      [3, 30],
    ] as const)
      buffer.add(frame(seq), atMs);
    expect(waitOf(buffer, 0)).toBe(90);
  });

  it.each([
    ['in time', 100, 300],
    ['after it was given up', 125, 375],
  ])('having met one frame that came %s, waits its lateness and four halves of it', (_, lateMs, waitMs) => {
    const buffer = create();
    loseThenFind(buffer, lateMs);
    expect(waitAfterwards(buffer)).toBe(waitMs);
  });

  it('learns nothing from a new epoch', () => {
    const buffer = create();
    buffer.add(frame(0), 0);
    buffer.add(frame(0, { epoch: 1 }), 5000);
    buffer.release(5000);
    buffer.add(frame(2, { epoch: 1 }), 6000);
    expect(waitOf(buffer, 6000)).toBe(120);
  });

  it('waits for a missing frame 120 ms at first, then lets a gap through', () => {
    const buffer = create();
    buffer.add(frame(0), 0);
    buffer.add(frame(2), 10);
    expect(shown(buffer.release(129))).toEqual(['0']);
    expect(shown(buffer.release(130))).toEqual(['gap of 1 frame, 320 samples', '2']);
    expect(buffer.checkpoint().nextSeq).toBe(3);
  });

  it('waits longer once frames have come later, and never beyond its limit', () => {
    const buffer = create();
    loseThenFind(buffer, 300);
    expect(waitAfterwards(buffer)).toBeGreaterThan(300);
    loseThenFind(buffer, 5000);
    expect(waitAfterwards(buffer)).toBe(500);
  });

  it('waits less where little is late', () => {
    const buffer = create();
    for (let i = 0; i < 20; i++) loseThenFind(buffer, 5);
    expect(waitAfterwards(buffer)).toBe(40);
  });

  it('starts its wait anew when the socket was away', () => {
    const buffer = create();
    buffer.add(frame(1), 0);
    buffer.restartWaits(10_000);
    expect(buffer.release(10_100)).toEqual([]);
    expect(buffer.add(frame(0), 10_101)).toBe('accepted');
    expect(shown(buffer.release(10_101))).toEqual(['0', '1']);
  });

  it('knows a late frame from a replay', () => {
    const buffer = create();
    for (const seq of [0, 3]) buffer.add(frame(seq), 0);
    buffer.flush(0);
    expect([0, 1, 1, 2, 3].map((seq) => buffer.add(frame(seq), 1))).toEqual([
      'duplicate',
      'late',
      'duplicate',
      'late',
      'duplicate',
    ]);
  });

  it('refuses what lies beyond its window', () => {
    expect(create().add(frame(100), 0)).toBe('far');
    expect(create().add(frame(99), 0)).toBe('early');
    const buffer = create();
    for (let seq = 0; seq < 50; seq++) buffer.add(frame(seq), 0);
    expect([149, 150].map((seq) => buffer.add(frame(seq), 0))).toEqual(['early', 'far']);
  });

  it('counts a jump of the clock as a gap without lost frames', () => {
    const buffer = create();
    buffer.add(frame(0), 0);
    buffer.add(frame(1, { firstSample: 1000 }), 0);
    expect(shown(buffer.release(0))).toEqual(['0', 'gap of 0 frames, 680 samples', '1']);
  });

  it('tells of a clock that went back', () => {
    const buffer = create();
    buffer.add(frame(0), 0);
    buffer.add(frame(1, { firstSample: 319 }), 0);
    expect(buffer.release(0).at(-1)).toMatchObject({ kind: 'rewind', expectedSample: 320 });
  });

  it('ends the old epoch when a new one begins, and is deaf to the old', () => {
    const buffer = create();
    for (const seq of [0, 2]) buffer.add(frame(seq), 0);
    buffer.add(frame(0, { epoch: 1 }), 0);
    expect(shown(buffer.release(0))).toEqual(['0', 'gap of 1 frame, 320 samples', '2', 'epoch 1', '0']);
    expect(buffer.add(frame(1), 0)).toBe('duplicate');
    expect(buffer.checkpoint()).toMatchObject({ epoch: 1, nextSeq: 1 });
  });

  it('in whatever order frames come, once or twice, gives each once, in order, and never goes back', () => {
    const shuffled = fc
      .uniqueArray(fc.nat(60), { minLength: 1 })
      .chain((seqs) => fc.shuffledSubarray([...seqs, ...seqs], { minLength: seqs.length }));
    fc.assert(
      fc.property(shuffled, fc.array(fc.nat(80)), (seqs, pauses) => {
        const buffer = create();
        const released: Released[] = [];
        const taken: number[] = [];
        let nowMs = 0;
        let checkpoint = 0;
        for (const [index, seq] of seqs.entries()) {
          nowMs += pauses[index] ?? 0;
          if (['accepted', 'early'].includes(buffer.add(frame(seq), nowMs))) taken.push(seq);
          released.push(...buffer.release(nowMs));
          expect(buffer.checkpoint().nextSeq).toBeGreaterThanOrEqual(checkpoint);
          checkpoint = buffer.checkpoint().nextSeq;
        }
        released.push(...buffer.flush(nowMs));
        const heard = released.flatMap((item) => (item.kind === 'audio' ? [item.frame.seq] : []));
        expect(heard).toEqual(taken.sort((a, b) => a - b));
        expect(new Set(heard).size).toBe(heard.length);
        expect(clockOf(released)).toBe((Math.max(...seqs) + 1) * samples);
      }),
    );
  });
});

function create(): JitterBuffer {
  return new JitterBuffer({ minWaitMs: 40, maxWaitMs: 500, windowFrames: 100, samplesIn: () => samples });
}

function frame(seq: number, changes: Partial<AudioFrame> = {}): AudioFrame {
  const payload = new Uint8Array(2 * samples);
  return { codec: 'pcm_s16le', flags: 0, epoch: 0, seq, firstSample: seq * samples, payload, ...changes };
}

let clockMs = 0;

/** A frame is missing, and comes `lateMs` after it was missed, in time or not. */
function loseThenFind(buffer: JitterBuffer, lateMs: number): void {
  clockMs += 10_000;
  const { nextSeq } = buffer.checkpoint();
  buffer.add(frame(nextSeq + 1), clockMs);
  buffer.release(clockMs + lateMs);
  buffer.add(frame(nextSeq), clockMs + lateMs);
  buffer.release(clockMs + lateMs);
}

/** How long the next missing frame is waited for. */
function waitAfterwards(buffer: JitterBuffer): number {
  clockMs += 10_000;
  buffer.add(frame(buffer.checkpoint().nextSeq + 1), clockMs);
  return waitOf(buffer, clockMs);
}

/** How long after `sinceMs` something comes out. */
function waitOf(buffer: JitterBuffer, sinceMs: number): number {
  for (let ms = 0; ms < 10_000; ms++) if (buffer.release(sinceMs + ms).length > 0) return ms;
  return Number.POSITIVE_INFINITY;
}

function shown(items: readonly Released[]): string[] {
  return items.map(show);
}

function show(item: Released): string {
  switch (item.kind) {
    case 'audio':
      return String(item.frame.seq);
    case 'gap':
      return `gap of ${item.frames} frame${item.frames === 1 ? '' : 's'}, ${item.samples} samples`;
    case 'epoch':
      return `epoch ${item.epoch}`;
    case 'rewind':
      return 'rewind';
  }
}

function clockOf(items: readonly Released[]): number {
  return items.reduce(
    (sum, item) => sum + (item.kind === 'gap' ? item.samples : item.kind === 'audio' ? samples : 0),
    0,
  );
}
