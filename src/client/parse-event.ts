import type { ServerEvent } from '../protocol/server-messages.ts';
import { scanFeedback } from './scan-event.ts';

/** The server event in the text that lies from `begin` to `end`, or undefined for a text that is none. */
export function parseEvent(bytes: Buffer, begin: number, end: number): ServerEvent | undefined {
  const feedback = scanFeedback(bytes, begin, end);
  if (feedback) return feedback;
  const text = bytes.toString('utf8', begin, end);
  // Ill-formed UTF-8 leaves this mark, which our JSON never has; looking for it in ASCII costs nothing.
  if (text.includes('\ufffd')) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const { type, event_id, audio_ms } = value as Partial<Record<keyof ServerEvent, unknown>>;
  const isEvent = typeof type === 'string' && typeof event_id === 'number' && typeof audio_ms === 'number';
  return isEvent ? (value as ServerEvent) : undefined;
}
