import { SpeechfbError } from '../errors.ts';
import { type AuditEntry, type AuditHead, genesis, readEntry } from './entry.ts';
import { auditLines, type FileLine } from './lines.ts';

/** How a log was changed, as far as its lines show it. */
type AuditDamage = 'edited' | 'deleted' | 'reordered' | 'truncated';

export type AuditReport = {
  file: string;
  /** Entries that are as they were written, from the first. */
  entries: number;
  /** The last of them; absent: there is none. */
  head: AuditHead | undefined;
  /** The first and last time that they name. */
  from: string | undefined;
  to: string | undefined;
  /** The first line that is not as it was written. */
  broken: { line: number; damage: AuditDamage; message: string } | undefined;
  /**
   * A last line that was never finished: a crash, and no action, since actions follow their
   * entries.
   */
  torn: { line: number; bytes: number } | undefined;
  /** Bytes of the whole entries. */
  sizeBytes: number;
};

/**
 * Reads an audit log from its beginning and says whether it is what was written: no entry edited,
 * deleted, moved or added, and, with a `head` that was kept elsewhere, none cut off its end.
 * @throws SpeechfbError `unreadable_file`
 */
export async function verifyAudit(file: string, head?: AuditHead): Promise<AuditReport> {
  const report: AuditReport = {
    file,
    entries: 0,
    head: undefined,
    from: undefined,
    to: undefined,
    broken: undefined,
    torn: undefined,
    sizeBytes: 0,
  };
  let wanted: number | undefined;
  for await (const line of auditLines(file)) {
    if (wanted !== undefined) {
      if (!isEntry(line, wanted)) continue;
      report.broken = { ...report.broken!, ...movedTo(line.number, wanted) };
      break;
    }
    if (!line.isWhole) report.torn = { line: line.number, bytes: line.bytes };
    else {
      wanted = takeLine(report, line, head);
      if (report.broken && wanted === undefined) break;
    }
  }
  if (!report.broken && head && head.seq > report.entries) {
    const message = `it ends with entry ${report.entries}; the head that was kept names entry ${head.seq}`;
    report.broken = { line: report.entries + 1, damage: 'truncated', message };
  }
  return report;
}

/** The head that `--head` gives: SEQ:HASH. */
export function parseAuditHead(text: string): AuditHead {
  const [, seq, hash] = /^([1-9]\d{0,14}):([0-9a-f]{64})$/.exec(text.trim()) ?? [];
  if (hash === undefined) {
    const hint = 'speechfb audit verify and speechfb admin audit print the head of a log';
    throw new SpeechfbError('bad_flag', `--head "${text.slice(0, 100)}" is not SEQ:HASH, nor a file`, { hint });
  }
  return { seq: Number(seq), hash };
}

/** Takes the next line into the report; gives the entry that is missing where one is. */
function takeLine(report: AuditReport, line: FileLine, head: AuditHead | undefined): number | undefined {
  const expected = report.entries + 1;
  const before = report.head ?? genesis;
  const broken = (damage: AuditDamage, message: string): void => {
    report.broken = { line: line.number, damage, message };
  };
  const entry = line.text === undefined ? 'it is no UTF-8, or far too long' : readEntry(line.text);
  if (typeof entry === 'string') {
    broken('edited', `the line was edited: ${entry}`);
    return undefined;
  }
  if (entry.seq > expected) {
    broken('deleted', `${missing(expected, entry.seq - 1)} before entry ${entry.seq}`);
    return expected;
  }
  if (entry.seq < expected) {
    broken('reordered', `entry ${entry.seq} stands behind entry ${expected - 1}: it was moved or copied here`);
    return undefined;
  }
  if (entry.prev !== before.hash) {
    const where = expected === 1 ? 'the beginning of a log' : 'the line before';
    broken('edited', `entry ${entry.seq} does not follow ${where}, which was edited or is another log's`);
    return undefined;
  }
  if (head?.seq === entry.seq && head.hash !== entry.hash) {
    broken('edited', `entry ${entry.seq} is not the one that the head names: the log was written anew`);
    return undefined;
  }
  add(report, entry, line.bytes);
  return undefined;
}

function add(report: AuditReport, { seq, hash, at }: AuditEntry, bytes: number): void {
  report.entries = seq;
  report.head = { seq, hash };
  report.from ??= at;
  report.to = at;
  report.sizeBytes += bytes;
}

function isEntry({ text, isWhole }: FileLine, seq: number): boolean {
  if (text === undefined || !isWhole) return false;
  const entry = readEntry(text);
  return typeof entry !== 'string' && entry.seq === seq;
}

function movedTo(line: number, seq: number): { damage: AuditDamage; message: string } {
  return { damage: 'reordered', message: `entry ${seq} is not here but on line ${line}` };
}

function missing(first: number, last: number): string {
  return first === last ? `entry ${first} was deleted` : `entries ${first} to ${last} were deleted`;
}
