import { packSound, type SampleFormat, sampleBytes } from '../wire/samples.ts';

/** Where one reader of a retained sound is. */
export type Cursor = { next: number };

/** The next piece for a reader. */
export type SoundPiece =
  | { kind: 'sound'; format: SampleFormat; bytes: Uint8Array; samples: number }
  | { kind: 'gap'; ms: number };

/**
 * The sound of one utterance since its beginning, so that another node can hear it all again when
 * the first one dies. A text that is read for longer than `maxBytes` allows loses its oldest sound,
 * and can then not be heard again.
 */
export class RetainedSound {
  readonly #maxBytes: number;
  #chunks: Chunk[] = [];
  /** Chunks that are gone. */
  #dropped = 0;
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Whether a reader can begin at the beginning. */
  get isWhole(): boolean {
    return this.#dropped === 0;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** @param pcm Samples in [-1, 1); they are copied. */
  add(pcm: Float32Array): void {
    if (pcm.length === 0) return;
    const { format, bytes } = packSound(pcm);
    this.#chunks.push({ kind: 'sound', format, bytes });
    this.#bytes += bytes.length;
  }

  gap(ms: number): void {
    this.#chunks.push({ kind: 'gap', ms });
  }

  /**
   * Drops the oldest sound beyond the bound, as far as `read` has read.
   */
  trim(read: Cursor): void {
    let gone = 0;
    while (this.#bytes > this.#maxBytes && this.#dropped + gone < read.next) {
      const chunk = this.#chunks[gone]!;
      this.#bytes -= chunk.kind === 'sound' ? chunk.bytes.length : 0;
      gone += 1;
    }
    if (gone === 0) return;
    this.#chunks.splice(0, gone);
    this.#dropped += gone;
  }

  /** Forgets everything: nobody will ask again. */
  clear(): void {
    this.#dropped += this.#chunks.length;
    this.#chunks = [];
    this.#bytes = 0;
  }

  hasMore(cursor: Cursor): boolean {
    return cursor.next - this.#dropped < this.#chunks.length;
  }

  /**
   * The next piece from the cursor on, chunks joined up to `pieceBytes`, and never more than
   * `mostSamples`; undefined: nothing, or the next chunk is larger.
   */
  take(cursor: Cursor, mostSamples: number): SoundPiece | undefined {
    const at = cursor.next - this.#dropped;
    const first = this.#chunks[at];
    if (!first) return undefined;
    if (first.kind === 'gap') {
      cursor.next += 1;
      return first;
    }
    const { format } = first;
    const mostBytes = Math.min(mostSamples * sampleBytes[format], Math.max(pieceBytes, first.bytes.length));
    const joined: Uint8Array[] = [];
    let bytes = 0;
    for (let next = at; next < this.#chunks.length; next += 1) {
      const chunk = this.#chunks[next]!;
      if (chunk.kind !== 'sound' || chunk.format !== format || bytes + chunk.bytes.length > mostBytes) break;
      joined.push(chunk.bytes);
      bytes += chunk.bytes.length;
    }
    if (joined.length === 0) return undefined;
    cursor.next += joined.length;
    return {
      kind: 'sound',
      format,
      bytes: joined.length === 1 ? joined[0]! : Buffer.concat(joined, bytes),
      samples: bytes / sampleBytes[format],
    };
  }
}

type Chunk = { kind: 'sound'; format: SampleFormat; bytes: Uint8Array } | { kind: 'gap'; ms: number };

/** Two seconds of sound in one item: a replay of many sessions shares the trunk in turns. */
const pieceBytes = 64 * 1024;
