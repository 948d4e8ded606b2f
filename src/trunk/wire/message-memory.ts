import { collectYoungGarbage, releaseMemory } from '../../threads/memory.ts';

/**
 * Frees the memory of a message that nobody reads any more, neither itself nor what was cut out of
 * it. At 250 sessions a node's collector has 8 MB a second of it to find, and went through all that
 * lives two or three times a second for that. Small messages are left: they share memory with
 * others.
 */
export function releaseMessage(bytes: Buffer): void {
  const { buffer, length } = bytes;
  const isAlone = length >= leastBytes && buffer.byteLength <= length + headBytes;
  if (isAlone && buffer instanceof ArrayBuffer) releaseMemory([buffer]);
  collectReads(length);
}

/**
 * The pieces that a message was read in are HTTP/2's, and lie outside the heap too: they are
 * collected each so many bytes.
 */
function collectReads(bytes: number): void {
  readBytes += bytes;
  if (readBytes < collectBytes) return;
  readBytes = 0;
  collectYoungGarbage();
}

let readBytes = 0;
/** Twice a second at 500 sessions. */
const collectBytes = 8 * 1024 * 1024;
/** Node gives a buffer of half of its pool, 4 kB, memory of its own. */
const leastBytes = 8 * 1024;
/** What gRPC has before a message. */
const headBytes = 5;
