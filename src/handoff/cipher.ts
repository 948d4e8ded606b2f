import { createDecipheriv, randomBytes, webcrypto } from 'node:crypto';
import {
  type HandedUtterance,
  type RecordHead,
  readHead,
  readSecret,
  UnprovenRecord,
  writeHead,
  writeSecret,
} from './record.ts';

/** A new key for the sound of a session, as the store keeps it. */
export function newDataKey(): string {
  return randomBytes(keyBytes).toString('base64url');
}

/**
 * A record under the key of its session. The encryption runs on threads of Node's own: whoever
 * calls has sockets to read.
 */
export async function sealRecord(head: RecordHead, utterance: HandedUtterance, dataKey: string): Promise<Buffer> {
  const { subtle } = webcrypto;
  const key = await subtle.importKey('raw', Buffer.from(dataKey, 'base64url'), 'AES-GCM', false, ['encrypt']);
  const additionalData = writeHead(head);
  const iv = randomBytes(nonceBytes);
  const secret = await subtle.encrypt({ name: 'AES-GCM', iv, additionalData }, key, writeSecret(utterance));
  return Buffer.concat([additionalData, iv, Buffer.from(secret)]);
}

/** @throws UnprovenRecord for one that was changed, or is under another key; UnreadableRecord */
export function openRecord(record: Uint8Array, dataKey: string): { head: RecordHead; utterance: HandedUtterance } {
  const { head, end } = readHead(record);
  const bytes = Buffer.from(record.buffer, record.byteOffset, record.byteLength);
  const [nonceEnd, secretEnd] = [end + nonceBytes, bytes.length - tagBytes];
  if (secretEnd < nonceEnd) throw new UnprovenRecord('it ends too early');
  const key = Buffer.from(dataKey, 'base64url');
  if (key.length !== keyBytes) throw new UnprovenRecord('the key of its session is none');
  const cipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(end, nonceEnd), { authTagLength: tagBytes });
  cipher.setAAD(bytes.subarray(0, end)).setAuthTag(bytes.subarray(secretEnd));
  let secret: Buffer;
  try {
    secret = Buffer.concat([cipher.update(bytes.subarray(nonceEnd, secretEnd)), cipher.final()]);
  } catch {
    throw new UnprovenRecord('it was changed, or is under another key than that of its session');
  }
  return { head, utterance: readSecret(secret) };
}

const keyBytes = 32;
const nonceBytes = 12;
const tagBytes = 16;
