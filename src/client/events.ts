import { isAsExpected, isFeedback } from '../protocol/quick-checks.ts';
import type { ServerEvent } from '../protocol/server-messages.ts';
import { type EventProblem, readServerEvent } from '../protocol/server-schema.ts';
import { scanEvent } from './scan-event.ts';

/**
 * The server event in the text that lies from `begin` to `end`, checked field by field, or what is
 * wrong with it.
 */
export function parseEvent(bytes: Buffer, begin: number, end: number): ServerEvent | EventProblem {
  const event = scanEvent(bytes, begin, end);
  if (event && (event.type === 'phoneme_feedback' ? isFeedback(event) : isAsExpected(event))) return event;
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString('utf8', begin, end));
  } catch {
    const text = bytes.toString('utf8', begin, Math.min(end, begin + mostBytesShown));
    return { kind: 'no JSON', problem: `the message is not JSON: ${JSON.stringify(text)}` };
  }
  return readServerEvent(value);
}

/** Enough of a message to know what it is. */
const mostBytesShown = 80;
