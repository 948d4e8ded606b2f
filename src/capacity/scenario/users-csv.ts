import { type Problem, SpeechfbError } from '../../errors.ts';
import type { UsersByMinute } from './users.ts';

/**
 * Reads `minute,users` lines: minutes from the start of the day, as a number or as `8:05`, rising.
 * Lines end with LF, CR LF or CR; cells are parted by a comma, a semicolon or a tab, as
 * spreadsheets write them. Empty lines and `#` comments may stand anywhere, a line of words before
 * the numbers is a header. Throws `bad_users_csv` with every bad line at once.
 */
export function parseUsersCsv(file: string, text: string): UsersByMinute {
  const points: { minute: number; users: number }[] = [];
  const problems: Problem[] = [];
  let hasHeader = false;
  for (const [index, line] of text.split(/\r\n|\r|\n/).entries()) {
    if (line.trim() === '' || line.startsWith('#')) continue;
    if (points.length === 0 && problems.length === 0 && !hasHeader && isHeader(line)) {
      hasHeader = true;
      continue;
    }
    const problem = (column: number, message: string) =>
      problems.push({ where: `${file}:${index + 1}:${column}`, message });
    const cells = line.split(/[,;\t]/);
    if (cells.length !== 2) {
      problem(1, `"${line}" is not minute,users`);
      continue;
    }
    const [minute, users] = [minuteOf(bare(cells[0]!)), numberOf(bare(cells[1]!))];
    const before = points.at(-1);
    const second = cells[0]!.length + 2;
    if (!Number.isFinite(minute) || minute! < 0)
      problem(1, `minute "${cells[0]}" is not a number from 0, nor a time such as 8:05`);
    else if (before && minute! <= before.minute) problem(1, `minute ${minute} does not come after ${before.minute}`);
    if (!Number.isFinite(users) || users! < 0) problem(second, `users "${cells[1]}" is not a number from 0`);
    points.push({ minute: minute!, users: users! });
  }
  if (points.length === 0) problems.push({ where: `${file}:1:1`, message: 'holds no minute,users line' });
  else if (points.every(({ users }) => users === 0))
    problems.push({ where: file, message: 'has no user at any minute' });
  if (problems.length > 0)
    throw new SpeechfbError('bad_users_csv', `${file} is not a curve of users`, {
      problems: problems.slice(0, 100),
      hint: 'write lines such as 0,1200 and 1,1350, or 0:00,1200: the minute of the day, then the users online',
    });
  return points;
}

/** Two or more names, none of which begins as a number does. */
function isHeader(line: string): boolean {
  const cells = line.split(/[,;\t]/).map(bare);
  return cells.length > 1 && cells.every((cell) => /^[^\d.+-]/.test(cell));
}

function bare(cell: string): string {
  return cell.trim().replace(/^"(.*)"$/, '$1');
}

function minuteOf(text: string): number {
  const clock = /^(\d{1,2}):([0-5]\d)$/.exec(text);
  return clock ? 60 * Number(clock[1]) + Number(clock[2]) : numberOf(text);
}

function numberOf(text: string): number {
  return text === '' ? Number.NaN : Number(text);
}
