import type { ServerEvent } from '../protocol/server-messages.ts';

/** A server event, or undefined for a text that is none. */
export function parseEvent(text: string): ServerEvent | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  const isEvent =
    typeof value === 'object' &&
    value !== null &&
    'type' in value &&
    typeof value.type === 'string' &&
    'event_id' in value &&
    typeof value.event_id === 'number' &&
    'audio_ms' in value &&
    typeof value.audio_ms === 'number';
  return isEvent ? (value as ServerEvent) : undefined;
}
