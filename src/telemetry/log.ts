import { type DestinationStream, pino } from 'pino';
import { escapedJson } from '../json-text.ts';
import { plainText, withoutMiddle } from '../plain-text.ts';
import type { LogLevel } from './log-levels.ts';

/**
 * Where a server says what happens. Fields never hold audio, texts, transcripts, scores or tokens.
 */
export type Log = {
  info(fields: LogFields, message: string): void;
  warn(fields: LogFields, message: string): void;
  error(fields: LogFields, message: string): void;
};

export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>;

/**
 * Lines on `output`: JSON, or for people when it is a terminal; a field that is too long loses its
 * middle.
 */
export function createLog(level: LogLevel, output: LogOutput): Log {
  const destination: DestinationStream = output.isTTY
    ? { write: (line) => void output.write(forPeople(line)) }
    : { write: (line) => void output.write(escapedJson(line)) };
  return pino(
    { level, base: null, timestamp: pino.stdTimeFunctions.isoTime, formatters: { log: bounded } },
    destination,
  );
}

export type LogOutput = { isTTY?: boolean; write(text: string): unknown };

/** Where a bug of ours was thrown. */
export function stackOf(error: unknown): string {
  return error instanceof Error && error.stack ? error.stack : String(error);
}

/** `12:34:56.789 warn  what happened key=value`. */
function forPeople(line: string): string {
  const { level, time, msg, ...fields }: { level: number; time: string; msg: string } = JSON.parse(line);
  const rest = Object.entries(fields).map(([name, value]) => ` ${name}=${plainText(String(value), fieldColumns)}`);
  return `${time.slice(11, 23)} ${(pino.levels.labels[level] ?? '').padEnd(5)} ${msg}${rest.join('')}\n`;
}

function bounded(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [
      name,
      typeof value === 'string' ? withoutMiddle(value, fieldColumns) : value,
    ]),
  );
}

/** The stack of a bug of ours has room in it. */
const fieldColumns = 2000;
