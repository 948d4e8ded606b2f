/** One field of a message; `body`: what is in it, of those that have a length. */
export type Field = { number: number; body: Uint8Array | undefined; raw: Uint8Array };

/**
 * The fields of a protobuf message in their order, as views of `message`. Error: `RangeError` where
 * it is none.
 */
export function* fieldsOf(message: Uint8Array): Generator<Field> {
  let at = 0;
  const varint = (): number => {
    for (let value = 0, scale = 1; ; scale *= 128) {
      const byte = message[at++];
      if (byte === undefined) throw new RangeError('the message ends within a field');
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
  };
  while (at < message.length) {
    const start = at;
    const key = varint();
    let body: Uint8Array | undefined;
    if (key % 8 === 2) {
      const length = varint();
      body = message.subarray(at, at + length);
      at += length;
    } else if (key % 8 === 0) varint();
    else if (key % 8 === 1) at += 8;
    else if (key % 8 === 5) at += 4;
    else throw new RangeError(`a field has the wire type ${key % 8}`);
    if (at > message.length) throw new RangeError('the message ends within a field');
    yield { number: Math.floor(key / 8), body, raw: message.subarray(start, at) };
  }
}

/** A field with a message, a text or bytes in it. */
export function bytesField(number: number, body: Uint8Array | string): Uint8Array {
  const bytes = typeof body === 'string' ? new TextEncoder().encode(body) : body;
  return joined(varintOf(number * 8 + 2), varintOf(bytes.length), bytes);
}

/** A field with a whole number from 0. */
export function numberField(number: number, value: number): Uint8Array {
  return joined(varintOf(number * 8), varintOf(value));
}

export function joined(...parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}

function varintOf(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
  bytes.push(rest);
  return Uint8Array.from(bytes);
}
