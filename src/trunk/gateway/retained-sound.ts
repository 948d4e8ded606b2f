import type { Samples } from '../../acoustic/engine/types.ts';
import { packNarrow, packWhole, packWide, type SampleFormat, type SoundBytes, sampleBytes } from '../wire/samples.ts';
import { type TrunkBlocks, trunkBlockBytes } from './trunk-blocks.ts';

/** Where one reader of a retained sound is: in which piece, and how far in it, bytes. */
export type Cursor = { next: number; offset: number };

/** A reader that has read nothing. */
export function beginning(): Cursor {
  return { next: 0, offset: 0 };
}

/** The next piece for a reader. */
export type SoundPiece = ({ kind: 'sound'; samples: number } & SoundBytes) | { kind: 'gap'; ms: number };

/**
 * The sound of one utterance since its beginning, so that another node can hear it all again when
 * the first one dies. A text that is read for longer than `maxBytes` allows loses its oldest
 * blocks, and can then not be heard again.
 */
export class RetainedSound {
  readonly #maxBytes: number;
  readonly #blocks: TrunkBlocks;
  #pieces: Piece[] = [];
  /** Pieces that are gone. */
  #dropped = 0;
  #bytes = 0;

  constructor(maxBytes: number, blocks: TrunkBlocks) {
    this.#maxBytes = maxBytes;
    this.#blocks = blocks;
  }

  /** Whether a reader can begin at the beginning. */
  get isWhole(): boolean {
    return this.#dropped === 0;
  }

  get isEmpty(): boolean {
    return this.#dropped + this.#pieces.length === 0;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** @param pcm They are copied. */
  add(pcm: Samples): void {
    for (let at = 0; at < pcm.length; at += mostAtOnce) this.#add(pcm.subarray(at, at + mostAtOnce));
  }

  gap(ms: number): void {
    this.#pieces.push({ kind: 'gap', ms });
  }

  /**
   * Drops the oldest sound beyond the bound, as far as `read` has read.
   */
  trim(read: Cursor): void {
    let gone = 0;
    while (this.#bytes > this.#maxBytes && this.#dropped + gone < read.next) {
      this.#forget(gone);
      gone += 1;
    }
    if (gone === 0) return;
    this.#pieces.splice(0, gone);
    this.#dropped += gone;
  }

  /** Forgets everything: nobody will ask again, or reads what was taken. */
  clear(): void {
    for (let at = 0; at < this.#pieces.length; at += 1) this.#forget(at);
    this.#dropped += this.#pieces.length;
    this.#pieces = [];
  }

  hasMore({ next, offset }: Cursor): boolean {
    const at = next - this.#dropped;
    const piece = this.#pieces[at];
    if (!piece) return false;
    return piece.kind === 'gap' || offset < piece.filled || at + 1 < this.#pieces.length;
  }

  /**
   * The next piece from the cursor on, a block and `mostSamples` at most; undefined: there is
   * nothing, or nothing may be sent. Its bytes stay as they are until they are dropped.
   */
  take(cursor: Cursor, mostSamples: number): SoundPiece | undefined {
    for (;;) {
      const piece = this.#pieces[cursor.next - this.#dropped];
      if (!piece) return undefined;
      if (piece.kind === 'gap') {
        step(cursor);
        return piece;
      }
      const left = piece.filled - cursor.offset;
      if (left === 0) {
        // More may yet be written into the newest block.
        if (piece === this.#pieces.at(-1)) return undefined;
        step(cursor);
        continue;
      }
      const aSample = sampleBytes[piece.format];
      const samples = Math.min(left / aSample, mostSamples);
      if (samples <= 0) return undefined;
      const from = cursor.offset;
      cursor.offset += samples * aSample;
      return { kind: 'sound', format: piece.format, bytes: piece.bytes, from, end: cursor.offset, samples };
    }
  }

  /** @param pcm Not more than a block has room for. */
  #add(pcm: Samples): void {
    const newest = this.#pieces.at(-1);
    if (newest?.kind === 'sound' && fill(newest, pcm)) {
      this.#bytes += pcm.length * sampleBytes[newest.format];
      return;
    }
    const block: Block = { kind: 'sound', format: 's16le', bytes: this.#blocks.take(), filled: 0 };
    if (!fill(block, pcm)) {
      block.format = 'f32le';
      fill(block, pcm);
    }
    this.#pieces.push(block);
    this.#bytes += block.filled;
  }

  #forget(at: number): void {
    const piece = this.#pieces[at]!;
    if (piece.kind === 'gap') return;
    this.#bytes -= piece.filled;
    this.#blocks.giveBack(piece.bytes);
  }
}

type Block = { kind: 'sound'; format: SampleFormat; bytes: Uint8Array; filled: number };
type Piece = Block | { kind: 'gap'; ms: number };

/** Writes into the block; false when it has no room, or not for samples of these. */
function fill(block: Block, pcm: Samples): boolean {
  const { format, bytes, filled } = block;
  const end = filled + pcm.length * sampleBytes[format];
  if (end > bytes.length) return false;
  if (pcm instanceof Int16Array) {
    if (format === 'f32le') return false;
    packWhole(bytes, filled, pcm);
  } else if (format === 'f32le') packWide(bytes, filled, pcm);
  else if (!packNarrow(bytes, filled, pcm)) return false;
  block.filled = end;
  return true;
}

function step(cursor: Cursor): void {
  cursor.next += 1;
  cursor.offset = 0;
}

/** As many samples as fit into a block in either format. */
const mostAtOnce = trunkBlockBytes / sampleBytes.f32le;
