import { z } from 'zod';
import { clientMessage, type ReferenceInput } from '../protocol/client-messages.ts';
import type { SoundPart } from './utterance-sound.ts';

/**
 * A record of `speechfb.retry.v1`: what everybody on the way may know in the clear, and the rest
 * under the session's key.
 *
 * "SFBR" | version, 1 byte | length of the head, 4 bytes | head, JSON | nonce, 12 bytes | secret |
 * tag, 16 bytes
 *
 * The head is authenticated with the secret (AES-256-GCM), so that none of it can be changed or put
 * before another secret. Numbers are little-endian.
 */
export type RecordHead = {
  session: string;
  utterance: number;
  /** Where its sound may be heard; '': anywhere. */
  region: string;
  /** What it was being scored by, name and version. */
  model: string;
  createdMs: number;
  /** After this nobody scores it any more, ms since 1970. */
  expiresMs: number;
};

/** What is secret of an utterance: the text, the sound, and how far its learner was told. */
export type HandedUtterance = {
  reference: ReferenceInput;
  /** Where it begins on the session's clock. */
  startMs: number;
  sampleRateHz: number;
  /** Why it ended, and the client's own mark for that, as its final tells it. */
  reason: FinalReason;
  marker: string | null;
  /** How much of the sound its learner has had feedback for, ms on the session's clock. */
  toldMs: number;
  /** The highest revision of the transcript that was told. */
  toldRev: number;
  sound: readonly SoundPart[];
};

const finalReasons = ['finalize', 'next_utterance', 'close', 'drain', 'timeout'] as const;
type FinalReason = (typeof finalReasons)[number];

/** The version that is written, and the only one that is read. */
const recordVersion = 1;
const magic = Buffer.from('SFBR');

/** A record that this program cannot read. */
export class UnreadableRecord extends Error {
  override readonly name = 'UnreadableRecord' as const;
}

/** A record of which nothing shows that a gateway of its session wrote it. */
export class UnprovenRecord extends UnreadableRecord {}

/** What comes before the secret: it is authenticated with that. */
export function writeHead(head: RecordHead): Buffer {
  const text = Buffer.from(JSON.stringify(head));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(text.length);
  return Buffer.concat([magic, Buffer.from([recordVersion]), length, text]);
}

/**
 * The head of a record, and where it ends, bytes.
 *
 * @throws UnreadableRecord
 */
export function readHead(record: Uint8Array): { head: RecordHead; end: number } {
  const bytes = Buffer.from(record.buffer, record.byteOffset, record.byteLength);
  if (bytes.length < prefixBytes || !bytes.subarray(0, magic.length).equals(magic)) {
    throw new UnreadableRecord('it is no record of an utterance');
  }
  const version = bytes[magic.length]!;
  if (version !== recordVersion) {
    throw new UnreadableRecord(`it has version ${version}; this program reads version ${recordVersion}`);
  }
  const end = prefixBytes + bytes.readUInt32LE(magic.length + 1);
  const parsed = headSchema.safeParse(parseJson(bytes.subarray(prefixBytes, end)));
  if (end > bytes.length || !parsed.success) throw new UnreadableRecord('its head cannot be read');
  return { head: parsed.data, end };
}

/** The secret part, as it is encrypted. */
export function writeSecret({ sound, ...rest }: HandedUtterance): Buffer {
  const parts = sound.map((part) =>
    'gapMs' in part ? part : { format: part instanceof Int16Array ? 's16' : 'f32', samples: part.length },
  );
  const text = Buffer.from(JSON.stringify({ ...rest, parts }));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(text.length);
  return Buffer.concat([length, text, ...sound.flatMap((part) => ('gapMs' in part ? [] : [littleEndian(part)]))]);
}

/** @throws UnreadableRecord */
export function readSecret(secret: Buffer): HandedUtterance {
  const textEnd = secret.length < 4 ? secret.length : 4 + secret.readUInt32LE(0);
  const parsed = secretSchema.safeParse(parseJson(secret.subarray(4, textEnd)));
  if (textEnd > secret.length || !parsed.success) throw new UnreadableRecord('what it holds cannot be read');
  const { parts, ...rest } = parsed.data;
  let at = textEnd;
  const sound = parts.map((part): SoundPart => {
    if ('gapMs' in part) return part;
    const bytes = part.samples * sampleBytes[part.format];
    const taken = secret.subarray(at, at + bytes);
    if (taken.length < bytes) throw new UnreadableRecord('its sound ends too early');
    at += bytes;
    return fromLittleEndian(taken, part.format);
  });
  return { ...rest, sound };
}

const prefixBytes = magic.length + 1 + 4;
const sampleBytes = { s16: 2, f32: 4 } as const;
const ms = z.number().min(0);

const headSchema = z.object({
  session: z.string().regex(/^[\w.-]{1,64}$/),
  utterance: z.int().min(0),
  region: z.string().max(64),
  model: z.string().max(400),
  createdMs: ms,
  expiresMs: ms,
});

const secretSchema = z.object({
  reference: z.custom<ReferenceInput>(
    (value) => clientMessage.safeParse({ type: 'next_utterance', reference: value }).success,
  ),
  startMs: ms,
  sampleRateHz: z.int().min(1),
  reason: z.enum(finalReasons),
  marker: z.string().nullable(),
  toldMs: ms,
  toldRev: z.int().min(0),
  parts: z.array(
    z.union([z.object({ gapMs: ms }), z.object({ format: z.enum(['s16', 'f32']), samples: z.int().min(0) })]),
  ),
});

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString());
  } catch {
    return undefined;
  }
}

function littleEndian(pcm: Int16Array | Float32Array): Buffer {
  const bytes = Buffer.from(pcm.buffer, pcm.byteOffset, pcm.byteLength);
  return isBigEndian ? swapped(bytes, pcm.BYTES_PER_ELEMENT) : bytes;
}

/** @param bytes They are copied: where they lie need not suit the samples. */
function fromLittleEndian(bytes: Buffer, format: 's16' | 'f32'): Int16Array | Float32Array {
  const own = Uint8Array.from(isBigEndian ? swapped(bytes, sampleBytes[format]) : bytes).buffer;
  return format === 's16' ? new Int16Array(own) : new Float32Array(own);
}

function swapped(bytes: Buffer, width: number): Buffer {
  const copy = Buffer.from(bytes);
  return width === 2 ? copy.swap16() : copy.swap32();
}

const isBigEndian = new Uint8Array(Uint16Array.of(1).buffer)[0] === 0;
