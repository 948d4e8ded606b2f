import { type DeadLetters, replayedPlaceOf } from '../queue/dead-letter.ts';
import { type Delivery, deadHeaders, QueueError, unreadableHeader } from '../queue/work-queue.ts';
import { type RecordHead, readHead, UnreadableRecord } from './record.ts';

/** A record that was put aside, as an operator sees it: nothing of its text or its sound. */
export type Letter = {
  /** `partition:offset` among the letters. */
  id: string;
  /** When it was put aside, ms since 1970. */
  diedMs: number;
  reason: string;
  /** Tries before that; undefined: none, or it was put aside by a version that did not say. */
  tries: number | undefined;
  /** Where it lay, as `partition:offset` of the work. */
  from: string;
  bytes: number;
  /** Undefined: this program cannot read it. */
  head: RecordHead | undefined;
  /** Its sound is kept no longer. */
  isExpired: boolean;
  /** When it was replayed, ms since 1970. */
  replayedMs: number | undefined;
};

/**
 * Which letters: the newest whose reason has this text; `before`: that are older than the one of
 * this id.
 */
export type LetterQuery = { reason?: string | undefined; most: number; before?: string | undefined };

/** Letters in the order in which they were put aside, and how many more there are before them. */
export type FoundLetters = { letters: readonly Letter[]; older: number };

/** What became of letters that were to be replayed. */
export type ReplayReport = {
  /** Ids of those that are work again. */
  replayed: readonly string[];
  /** How many were replayed before, and are left alone. */
  already: number;
  /** How many nobody can score any more. */
  expired: number;
  /** How many are larger than the work takes; absent: none. */
  tooLarge?: number;
};

/**
 * Letters by when they were put aside, then by where they lie. Undefined: there is none of the id
 * that they are to be older than.
 *
 * @throws QueueError
 */
export async function findLetters(
  box: DeadLetters,
  { reason = '', most, before }: LetterQuery,
  nowMs: number,
): Promise<FoundLetters | undefined> {
  // Partitions come in any order: which are older is known when that one is.
  const next = before === undefined ? undefined : await findLetter(box, before, nowMs);
  if (before !== undefined && !next) return undefined;
  let kept: Letter[] = [];
  let matched = 0;
  const notes = await readLetters(box, async (delivery) => {
    const letter = letterOf(delivery, nowMs);
    if (!letter.reason.includes(reason) || (next && byAge(letter, next) >= 0)) return;
    matched += 1;
    kept.push(letter);
    if (kept.length >= 2 * most) kept = newest(kept, most);
  });
  const letters = newest(kept, most).map((letter) => ({ ...letter, replayedMs: notes.get(letter.id) }));
  return { letters, older: matched - letters.length };
}

/**
 * One letter; undefined: there is none of this id.
 *
 * @throws QueueError
 */
export async function findLetter(box: DeadLetters, id: string, nowMs: number): Promise<Letter | undefined> {
  let found: Letter | undefined;
  const notes = await readLetters(box, async (delivery) => {
    if (delivery.place === id) found = letterOf(delivery, nowMs);
  });
  return found && { ...found, replayedMs: notes.get(id) };
}

/**
 * Has letters worked on once more, their tries counted anew: the one of `id`, or all whose reason
 * has the text. Which they are is found first, so that nothing is replayed that was before.
 *
 * @throws QueueError
 */
export async function replayLetters(
  box: DeadLetters,
  { id, reason = '' }: { id?: string | undefined; reason?: string | undefined },
  nowMs: number,
): Promise<ReplayReport> {
  const wanted = new Set<string>();
  const late = new Set<string>();
  const notes = await readLetters(box, async (delivery) => {
    const letter = letterOf(delivery, nowMs);
    if (id === undefined ? !letter.reason.includes(reason) : letter.id !== id) return;
    (letter.isExpired ? late : wanted).add(letter.id);
  });
  let already = 0;
  for (const place of notes.keys()) if (wanted.delete(place) || late.delete(place)) already += 1;
  const replayed: string[] = [];
  let tooLarge = 0;
  if (wanted.size > 0) {
    await readLetters(box, async (delivery) => {
      if (!wanted.delete(delivery.place)) return;
      try {
        await box.replay(delivery);
        replayed.push(delivery.place);
      } catch (error) {
        // One that does not fit keeps none of the others back.
        if (!(error instanceof QueueError) || error.why !== 'too_large') throw error;
        tooLarge += 1;
      }
    });
  }
  return { replayed, already, expired: late.size, ...(tooLarge > 0 && { tooLarge }) };
}

/** @returns when each letter was replayed, by its id */
async function readLetters(
  box: DeadLetters,
  visit: (letter: Delivery) => Promise<void>,
): Promise<ReadonlyMap<string, number>> {
  const notes = new Map<string, number>();
  await box.read(async (delivery) => {
    const replayed = replayedPlaceOf(delivery);
    if (replayed === undefined) await visit(delivery);
    else notes.set(replayed, delivery.appendedMs);
  });
  return notes;
}

function letterOf({ place, appendedMs, headers, value }: Delivery, nowMs: number): Letter {
  const head = headOf(value);
  const tries = Number(headers[deadHeaders.tries]);
  return {
    id: place,
    diedMs: appendedMs,
    reason: headers[deadHeaders.reason] ?? headers[unreadableHeader] ?? '',
    tries: tries >= 1 ? tries : undefined,
    from: headers[deadHeaders.from] ?? '',
    bytes: value.byteLength,
    head,
    isExpired: head !== undefined && head.expiresMs <= nowMs,
    replayedMs: undefined,
  };
}

function headOf(value: Uint8Array): RecordHead | undefined {
  try {
    return readHead(value).head;
  } catch (error) {
    if (error instanceof UnreadableRecord) return undefined;
    throw error;
  }
}

function newest(letters: readonly Letter[], most: number): Letter[] {
  return [...letters].sort(byAge).slice(-most);
}

function byAge(one: Letter, other: Letter): number {
  if (one.diedMs !== other.diedMs) return one.diedMs - other.diedMs;
  const [partition, offset] = one.id.split(':').map(BigInt);
  const [otherPartition, otherOffset] = other.id.split(':').map(BigInt);
  if (partition !== otherPartition) return Number(partition! - otherPartition!);
  return Number(offset! - otherOffset!);
}
