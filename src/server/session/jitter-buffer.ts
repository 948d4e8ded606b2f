import type { AudioFrame } from '../../protocol/frame.ts';
import { createLatenessEstimate } from './late-frames.ts';
import { createSeqRanges, type SeqRange } from './seq-ranges.ts';

/**
 * Puts a session's frames in order: each (epoch, seq) once, a missing one waited for up to an adaptive limit, then given
 * up as a gap. `nextSeq`, the checkpoint, only moves forward within an epoch; a new epoch starts again at 0.
 */
export type JitterBuffer = {
  add(frame: AudioFrame, nowMs: number): AddOutcome;
  /** What is in order by now, and gaps whose wait is over. */
  release(nowMs: number): Released[];
  /** Everything held, whatever is missing before it: the client says that nothing more comes. */
  flush(nowMs: number): Released[];
  /** The socket was away: what is missing could not come meanwhile, so its wait starts anew. */
  restartWaits(nowMs: number): void;
  checkpoint(): Checkpoint;
};

/** `early`: held, since one before it is missing; `late`: given up before it came; `far`: more than a window ahead of what was received. */
export type AddOutcome = 'accepted' | 'early' | 'duplicate' | 'late' | 'far';

export type Released =
  | { kind: 'audio'; frame: AudioFrame; arrivedMs: number }
  /** `samples` of the client's clock that never came; 0 when frames were missing but the clock did not move. */
  | { kind: 'gap'; samples: number; frames: number }
  /** The client's clock starts again at 0. */
  | { kind: 'epoch'; epoch: number }
  /** The frame's first sample lies before the end of the frame ahead of it. */
  | { kind: 'rewind'; frame: AudioFrame; expectedSample: number };

/** The next seq not seen, and what is missing between it and the newest seen. */
export type Checkpoint = { epoch: number; nextSeq: number; missing: readonly SeqRange[] };

export type JitterOptions = {
  minWaitMs: number;
  maxWaitMs: number;
  /** Frames held or missing beyond the checkpoint. */
  windowFrames: number;
  samplesIn(frame: AudioFrame): number;
  /** The frame as it is held beyond the call that brought it; others are released before the next `add`. */
  keep?(frame: AudioFrame): AudioFrame;
};

export function createJitterBuffer(options: JitterOptions): JitterBuffer {
  const lateness = createLatenessEstimate(options.minWaitMs, options.maxWaitMs);
  const held = new Map<number, { frame: AudioFrame; arrivedMs: number }>();
  const givenUp = createSeqRanges<number>(rememberedGaps);
  let ready: Released[] = [];
  let epoch = 0;
  let nextSeq = 0;
  let highest = -1;
  let expectedSample = 0;
  let missedAtMs = 0;

  return {
    add(frame, nowMs) {
      if (frame.epoch < epoch) return 'duplicate';
      if (frame.epoch > epoch) startEpoch(frame.epoch, nowMs);
      if (frame.seq < nextSeq) {
        const missedAt = givenUp.take(frame.seq);
        if (missedAt === undefined) return 'duplicate';
        lateness.observe(nowMs - missedAt);
        return 'late';
      }
      if (held.has(frame.seq)) return 'duplicate';
      if (frame.seq - nextSeq >= options.windowFrames) return 'far';
      const filled = frame.seq < highest;
      if (filled) lateness.observe(nowMs - missedAtMs);
      else if (held.size === 0) missedAtMs = nowMs;
      highest = Math.max(highest, frame.seq);
      held.set(frame.seq, { frame, arrivedMs: nowMs });
      drainInOrder(nowMs);
      if (!held.has(frame.seq)) return 'accepted';
      held.set(frame.seq, { frame: options.keep?.(frame) ?? frame, arrivedMs: nowMs });
      return 'early';
    },
    release(nowMs) {
      while (held.size > 0 && nowMs - missedAtMs >= lateness.waitMs()) giveUp(nowMs);
      return take();
    },
    flush(nowMs) {
      while (held.size > 0) giveUp(nowMs);
      return take();
    },
    restartWaits(nowMs) {
      missedAtMs = nowMs;
    },
    checkpoint: () => ({ epoch, nextSeq, missing: missing() }),
  };

  function drainInOrder(nowMs: number): void {
    const before = nextSeq;
    for (let next = held.get(nextSeq); next; next = held.get(nextSeq)) {
      held.delete(nextSeq);
      nextSeq += 1;
      const jump = next.frame.firstSample - expectedSample;
      if (jump < 0) {
        ready.push({ kind: 'rewind', frame: next.frame, expectedSample });
        continue;
      }
      if (jump > 0) ready.push({ kind: 'gap', samples: jump, frames: 0 });
      ready.push({ kind: 'audio', frame: next.frame, arrivedMs: next.arrivedMs });
      expectedSample = next.frame.firstSample + options.samplesIn(next.frame);
    }
    // Another hole may lie behind the one just filled: it has its own wait.
    if (nextSeq !== before) missedAtMs = nowMs;
  }

  function giveUp(nowMs: number): void {
    const first = Math.min(...held.keys());
    const frame = held.get(first)!.frame;
    givenUp.add([nextSeq, first - 1], missedAtMs);
    ready.push({
      kind: 'gap',
      samples: Math.max(0, frame.firstSample - expectedSample),
      frames: first - nextSeq,
    });
    expectedSample = Math.max(expectedSample, frame.firstSample);
    nextSeq = first;
    drainInOrder(nowMs);
  }

  function startEpoch(next: number, nowMs: number): void {
    while (held.size > 0) giveUp(nowMs);
    ready.push({ kind: 'epoch', epoch: next });
    givenUp.clear();
    epoch = next;
    nextSeq = 0;
    highest = -1;
    expectedSample = 0;
  }

  function missing(): SeqRange[] {
    const ranges: SeqRange[] = [];
    let from = nextSeq;
    for (const seq of [...held.keys()].sort((a, b) => a - b)) {
      if (seq > from) ranges.push([from, seq - 1]);
      from = seq + 1;
    }
    return ranges;
  }

  function take(): Released[] {
    const taken = ready;
    ready = [];
    return taken;
  }
}

/** Gaps given up whose late frames are still told from duplicates. */
const rememberedGaps = 32;
