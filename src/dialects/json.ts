/** A JSON object as it came; nothing of it is trusted. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** The JSON object in a text message, or what is wrong with the message. */
export function objectIn(message: string | Uint8Array): JsonObject | { problem: string } {
  if (typeof message !== 'string') return { problem: 'a binary message, where JSON was due' };
  try {
    const value: unknown = JSON.parse(message);
    if (isObject(value)) return value;
    return { problem: 'JSON that is no object' };
  } catch {
    return { problem: noJson(message) };
  }
}

/** What a text that is no JSON is, as far as it shows. */
export function noJson(text: string): string {
  return text.includes('\0') ? 'no JSON: it looks like UTF-16, where UTF-8 was due' : 'no JSON';
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** An object's field that is an object too; an empty one where it is not. */
export function objectAt(value: JsonObject, key: string): JsonObject {
  const field = value[key];
  return isObject(field) ? field : {};
}

export function textAt(value: JsonObject, key: string): string | undefined {
  const field = value[key];
  return typeof field === 'string' ? field : undefined;
}

export function numberAt(value: JsonObject, key: string): number | undefined {
  const field = value[key];
  return typeof field === 'number' && Number.isFinite(field) ? field : undefined;
}

export function itemsAt(value: JsonObject, key: string): readonly unknown[] {
  const field = value[key];
  return Array.isArray(field) ? field : [];
}
