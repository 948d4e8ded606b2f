import type { ServerEvent } from '../protocol/server-messages.ts';

/** A server event, or undefined for a text that is none. */
export function parseEvent(text: string): ServerEvent | undefined {
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
