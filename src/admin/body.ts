import type { IncomingMessage } from 'node:http';
import { RefusedCall } from './refusal.ts';

/**
 * The JSON that a request brings; undefined where it brings nothing.
 * @throws RefusedCall for what is no JSON, and for more than any call has.
 */
export async function readJson(request: IncomingMessage): Promise<unknown> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  // Whoever sends too much is to hear so: the connection stays until it has been answered.
  for await (const piece of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    bytes += piece.length;
    if (bytes > mostBytes) {
      const message = `the body has more than ${mostBytes} bytes`;
      throw new RefusedCall({ status: 413, code: 'too_large', message });
    }
    pieces.push(piece);
  }
  if (bytes === 0) return undefined;
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(pieces)));
  } catch {
    throw new RefusedCall({ status: 400, code: 'invalid_message', message: 'the body is no JSON in UTF-8' });
  }
}

const mostBytes = 65_536;
