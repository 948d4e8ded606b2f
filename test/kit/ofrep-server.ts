import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

/** How an OFREP server behaves: as it should, or not; `gone` cuts each connection. */
type Manner = 'well' | 'gone' | 'refuses' | 'rubbish' | 'limits' | 'unavailable';

export type OfrepServer = AsyncDisposable & {
  url: string;
  /** Values by flag; another object is another answer. */
  flags: Record<string, unknown>;
  manner: Manner;
  /** What was asked, in order: the context and whether the answer was 304. */
  asked: { context: unknown; notModified: boolean; authorization: string | undefined }[];
};

/**
 * Bulk evaluation as the OpenAPI file of OFREP 0.2 has it: POST /ofrep/v1/evaluate/flags with a
 * context, an ETag, 304 for one that is known, 400/401/429 with what belongs to them.
 */
export async function startOfrepServer(flags: Record<string, unknown>): Promise<OfrepServer> {
  const state: Pick<OfrepServer, 'flags' | 'manner' | 'asked'> = { flags, manner: 'well', asked: [] };
  const server = createServer(async (request, response) => {
    const say = (status: number, document?: unknown, headers: Record<string, string> = {}): void => {
      response.writeHead(status, { 'content-type': 'application/json', ...headers });
      response.end(document === undefined ? undefined : JSON.stringify(document));
    };
    const { status, body } = await contextOf(request);
    if (status !== 200) return say(status, { errorCode: 'PARSE_ERROR' });
    if (state.manner === 'gone') return void request.socket.destroy();
    if (state.manner === 'refuses') return say(401);
    if (state.manner === 'limits') return say(429, undefined, { 'retry-after': '1' });
    if (state.manner === 'unavailable') return say(503);
    if (state.manner === 'rubbish') return say(200, 'flags', { 'content-type': 'text/html' });
    const answer = {
      flags: Object.entries(state.flags).map(([key, value]) => ({ key, value, reason: 'STATIC', variant: 'on' })),
    };
    const etag = `"${createHash('sha256').update(JSON.stringify(answer)).digest('hex')}"`;
    const notModified = request.headers['if-none-match'] === etag;
    state.asked.push({ context: body, notModified, authorization: request.headers.authorization });
    return notModified ? say(304) : say(200, answer, { etag });
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const { port } = server.address() as AddressInfo;
  return Object.assign(state, {
    url: `ofrep+http://127.0.0.1:${port}/`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  });
}

async function contextOf(request: IncomingMessage): Promise<{ status: number; body?: unknown }> {
  if (request.method !== 'POST' || request.url !== '/ofrep/v1/evaluate/flags') return { status: 404 };
  try {
    const { context } = JSON.parse(await text(request)) as { context?: unknown };
    return typeof context === 'object' && context !== null ? { status: 200, body: context } : { status: 400 };
  } catch {
    return { status: 400 };
  }
}
