import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { readWav } from '../../../src/audio/wav.ts';

/** What goes wrong with it. */
export type TranscriptionFaults = {
  refuse?: { status: number; retryAfterS?: number; code?: string };
  /** It takes the recording, and never answers. */
  hangs?: boolean;
  /** It answers half, and cuts the connection. */
  cuts?: boolean;
  /** It answers what is no transcription. */
  rubbish?: string;
  /** Each answer takes so long, the first ones by themselves; the last stands for all that follow. */
  delaysMs?: readonly number[];
};

export type TranscriptionOptions = {
  text: string;
  key?: string;
  faults?: TranscriptionFaults;
  tls?: { certificate: string; key: string };
};

/** A recording as it came. */
export type Posted = { fields: Record<string, string>; seconds: number; sampleRateHz: number };

/**
 * OpenAI's `/v1/audio/transcriptions` (platform.openai.com: Create transcription): multipart with a file, a model and a
 * language; JSON with a text. It reads the WAV file that it gets, and says what it is told to.
 */
export async function startTranscriptions(options: TranscriptionOptions) {
  const posted: Posted[] = [];
  let answered = 0;
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { text, key, faults = {} } = options;
    const say = (status: number, body: object | string, headers = {}): void => {
      response.writeHead(status, { 'content-type': 'application/json', ...headers });
      response.end(typeof body === 'string' ? body : JSON.stringify(body));
    };
    const { refuse } = faults;
    if (refuse) {
      const retry = refuse.retryAfterS === undefined ? {} : { 'retry-after': `${refuse.retryAfterS}` };
      request.resume();
      say(refuse.status, { error: { message: 'The server refuses.', code: refuse.code ?? 'refused' } }, retry);
      return;
    }
    if (key !== undefined && request.headers.authorization !== `Bearer ${key}`) {
      request.resume();
      say(401, { error: { message: 'Incorrect API key provided.', code: 'invalid_api_key' } });
      return;
    }
    if (request.url !== '/v1/audio/transcriptions') {
      say(404, { error: { message: `Invalid URL (${request.url})` } });
      return;
    }
    posted.push(await readPosted(request));
    const delays = faults.delaysMs ?? [0];
    const delayMs = delays[Math.min(answered++, delays.length - 1)]!;
    if (faults.hangs) return;
    setTimeout(() => {
      if (faults.cuts) {
        response.writeHead(200, { 'content-length': '100' });
        response.write('{"te', () => response.destroy());
      } else say(200, faults.rubbish ?? { text });
    }, delayMs).unref();
  };
  const { tls } = options;
  const listener = (request: IncomingMessage, response: ServerResponse): void => {
    answer(request, response).catch(() => response.destroy());
  };
  const server = tls ? createTlsServer({ cert: tls.certificate, key: tls.key }, listener) : createServer(listener);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `${tls ? 'https://localhost' : 'http://127.0.0.1'}:${port}`,
    posted,
    async close(): Promise<void> {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

/** The parts of a multipart body (RFC 7578), the file among them as the WAV that it is. */
async function readPosted(request: IncomingMessage): Promise<Posted> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const boundary = /boundary=(\S+)/.exec(request.headers['content-type'] ?? '')?.[1] ?? '';
  const fields: Record<string, string> = {};
  let wav = Buffer.alloc(0);
  for (const part of Buffer.concat(chunks).toString('latin1').split(`--${boundary}`)) {
    const [head = '', ...rest] = part.split('\r\n\r\n');
    const name = /name="([^"]+)"/.exec(head)?.[1];
    const body = rest.join('\r\n\r\n').slice(0, -2);
    if (name === 'file') wav = Buffer.from(body, 'latin1');
    else if (name !== undefined) fields[name] = body;
  }
  const { samples, sampleRateHz } = readWav(wav);
  return { fields, seconds: samples.length / sampleRateHz, sampleRateHz };
}
