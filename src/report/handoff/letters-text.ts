import { count } from '../../format.ts';
import type { FoundLetters, Letter, ReplayReport } from '../../handoff/letters.ts';
import { fitColumns, fitTable } from '../terminal/fit-table.ts';
import { visibleLength } from '../terminal/fold.ts';
import type { Paint } from '../terminal/paint.ts';

/** Letters and the topic in which they lie. */
export type LetterList = FoundLetters & { topic: string };

/**
 * A row a dead letter, the oldest first, for a terminal. Where that is too narrow for the reasons
 * they are cut: `letterText` has the whole of one.
 */
export function lettersText({ topic, letters, older }: LetterList, _: Paint, columns?: number): string {
  if (letters.length === 0) return `${topic} has no such dead letters\n`;
  const rows = letters.map(({ id, diedMs, head, tries, reason, isExpired, replayedMs }) => [
    id,
    timeText(diedMs),
    head?.session ?? '?',
    head ? String(head.utterance) : '?',
    tries === undefined ? '?' : String(tries),
    replayedMs !== undefined ? 'replayed' : isExpired ? 'expired' : 'waits',
    reason,
  ]);
  const head = ['id', 'put aside', 'session', 'utterance', 'tries', 'state', 'reason'];
  const options = {
    columns,
    left: ['id', 'put aside', 'session', 'state', 'reason'],
    spare: ['utterance', 'put aside', 'tries'],
  };
  // A box of thousands takes seconds to draw, and nobody sees its edges.
  const drawn = rows.length > mostBoxed ? fitColumns : fitTable;
  const whole = drawn(head, rows, options);
  const over = Math.max(...whole.split('\n').map(visibleLength)) - (columns ?? Number.POSITIVE_INFINITY);
  const table = over > 0 ? drawn(head, withCutReasons(rows, over), options) : whole;
  const more = older === 0 ? '' : `${count(older, 'older one')} not shown: --before ${letters[0]!.id}\n`;
  return `${table}\n${more}`;
}

/** The rows with reasons, their last cells, that are shorter than the longest by `over`. */
function withCutReasons(rows: readonly (readonly string[])[], over: number): string[][] {
  const longest = Math.max(...rows.map((row) => visibleLength(row.at(-1)!)));
  const most = Math.max(leastReason, longest - over);
  const cut = (reason: string): string =>
    visibleLength(reason) > most ? `${reason.slice(0, most - 3).trimEnd()}...` : reason;
  return rows.map((row) => [...row.slice(0, -1), cut(row.at(-1)!)]);
}

const mostBoxed = 500;
/** Fewer say nothing. */
const leastReason = 12;

/** What is known of one, for a terminal. */
export function letterText(letter: Letter): string {
  const { id, diedMs, reason, tries, from, bytes, head, isExpired, replayedMs } = letter;
  const lines: readonly (readonly [string, string])[] = [
    ['id', id],
    ['reason', reason],
    ['put aside', timeText(diedMs)],
    ['tries', tries === undefined ? 'not known' : String(tries)],
    ['lay at', from],
    ['bytes', `${bytes}`],
    ...(head
      ? ([
          ['session', head.session],
          ['utterance', String(head.utterance)],
          ['region', head.region || 'any'],
          ['model', head.model],
          ['handed over', timeText(head.createdMs)],
          ['sound kept', `until ${timeText(head.expiresMs)}${isExpired ? ', which is over' : ''}`],
        ] as const)
      : ([['head', 'this version cannot read it']] as const)),
    ['replayed', replayedMs === undefined ? 'no' : timeText(replayedMs)],
  ];
  return `${lines.map(([name, value]) => `${name.padEnd(12)}${value}`).join('\n')}\n`;
}

/** What a replay did, for a terminal. */
export function replayText({ topic, replayed, already, expired, tooLarge }: ReplayReport & { topic: string }): string {
  const sentences = [
    ...(replayed.length > 0 ? [`${count(replayed.length, 'dead letter')} went back to ${topic}`] : []),
    ...(already > 0 ? [`${already} left alone: replayed before`] : []),
    ...(tooLarge ? [`${tooLarge} left alone: larger than max.message.bytes of ${topic}`] : []),
    ...(expired > 0 ? [`${expired} left alone: the sound is kept no longer`] : []),
  ];
  return `${sentences.length > 0 ? sentences.join('\n') : 'nothing to replay'}\n`;
}

export function lettersJson({ topic, letters, older }: LetterList): object {
  return { kind: 'DeadLetters', version: 1, topic, letters: letters.map(fieldsOf), older };
}

export function letterJson(letter: Letter): object {
  return { kind: 'DeadLetter', version: 1, ...fieldsOf(letter) };
}

export function replayJson({ topic, replayed, already, expired, tooLarge }: ReplayReport & { topic: string }): object {
  return { kind: 'DeadLetterReplay', version: 1, topic, replayed, already, expired, too_large: tooLarge ?? 0 };
}

function fieldsOf({ id, diedMs, reason, tries, from, bytes, head, isExpired, replayedMs }: Letter): object {
  return {
    ...{ id, reason, put_aside_ms: diedMs, tries: tries ?? null, from, bytes },
    session: head?.session ?? null,
    utterance: head?.utterance ?? null,
    region: head?.region ?? null,
    model: head?.model ?? null,
    created_ms: head?.createdMs ?? null,
    expires_ms: head?.expiresMs ?? null,
    ...{ expired: isExpired, replayed_ms: replayedMs ?? null },
  };
}

function timeText(ms: number): string {
  const time = new Date(ms);
  return Number.isNaN(time.getTime())
    ? '?'
    : time
        .toISOString()
        .replace('T', ' ')
        .replace(/\.\d+Z$/, 'Z');
}
