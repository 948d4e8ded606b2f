import type { IncomingMessage } from 'node:http';
import { rootCertificates } from 'node:tls';
import { WebSocket } from 'ws';
import type { TlsOptions } from '../../client/link/websocket-connection.ts';
import { SpeechfbError } from '../../errors.ts';
import { hideSecrets } from '../../redact.ts';
import type { SecretUrl } from '../../secret-url.ts';

export type PreflightTarget = { url: SecretUrl; token: string | undefined; tls: TlsOptions | undefined };

/**
 * Opens one WebSocket to the server and closes it again, before any load: a target that is not
 * there, is not trusted or does not want this token is a mistake in the test, no measurement.
 * Throws `connection_refused`, also when it is aborted, or `session_refused` with the server's own
 * words. A server that dies later is measured.
 */
export async function preflight(
  { url, token, tls }: PreflightTarget,
  { patienceMs = 10_000, signal }: { patienceMs?: number; signal?: AbortSignal } = {},
): Promise<void> {
  const socket = new WebSocket(url.href, 'speechfb.v1', {
    headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
    ...(tls?.ca === undefined ? {} : { ca: [...rootCertificates, tls.ca] }),
    ...(tls?.insecure ? { rejectUnauthorized: false } : {}),
  });
  let timer: NodeJS.Timeout | undefined;
  try {
    await new Promise<void>((resolve, reject) => {
      let said = '';
      const refused = (words: string) => {
        // A server may quote the key that it was called with.
        const hidden = hideSecrets(url.hide(words), [token ?? '']);
        reject(new SpeechfbError('session_refused', `${url} refuses us before any load: ${hidden}`, hintFor(words)));
      };
      signal?.addEventListener('abort', () => reject(unreachable(url, 'it was not waited for')), { once: true });
      timer = setTimeout(() => reject(unreachable(url, `no answer within ${patienceMs / 1000} s`)), patienceMs);
      // What a server has against the caller it says at once: before it answers a ping.
      socket.on('open', () => socket.ping());
      socket.on('pong', () => resolve());
      socket.on('message', (data) => {
        said = wordsOf(String(data));
      });
      socket.on('close', (code, reason) => refused(said || String(reason) || `it closed with code ${code}`));
      socket.on('unexpected-response', (_, response) => {
        answerOf(response).then((answer) => refused(`HTTP ${response.statusCode} ${answer}`.trim()), reject);
      });
      socket.on('error', (error) => reject(unreachable(url, causeOf(error))));
    });
  } finally {
    clearTimeout(timer);
    socket.removeAllListeners();
    // Closing a socket that never opened is an error to ws, and none to us.
    socket.on('error', () => {});
    if (socket.readyState === WebSocket.OPEN) socket.close(1000);
    else socket.terminate();
  }
}

function unreachable(url: SecretUrl, cause: string): SpeechfbError {
  if (/wrong version number/.test(cause)) {
    const message = `nothing to load at ${url}: what answers there does not speak TLS`;
    return new SpeechfbError('connection_refused', message, { hint: `try ${`${url}`.replace('wss:', 'ws:')}` });
  }
  const untrusted = /certificate|self.signed/i.test(cause);
  const hint = untrusted
    ? 'trust its authority with spec.target.tls.ca, or anybody with spec.target.tls.insecure'
    : 'start a server with: speechfb serve';
  return new SpeechfbError('connection_refused', `nothing to load at ${url}: ${cause}`, { hint });
}

function hintFor(words: string): { hint?: string } {
  return /unauthorized|401/.test(words) ? { hint: 'give the token with --token-file or spec.target.tokenFile' } : {};
}

/**
 * An address that resolves to several hosts fails with all of their errors and no words of its own.
 */
function causeOf(error: Error): string {
  return error.message.trim() || ('code' in error ? String(error.code) : error.name);
}

/** The sentence of an error event, as the server wrote it. */
function wordsOf(message: string): string {
  try {
    const event: unknown = JSON.parse(message);
    if (typeof event === 'object' && event !== null && 'code' in event && 'message' in event)
      return `${event.code}: ${event.message}`;
  } catch {
    // No event of ours: its beginning tells enough.
  }
  return message.slice(0, 200);
}

async function answerOf(response: IncomingMessage): Promise<string> {
  let body = '';
  for await (const chunk of response) {
    body += String(chunk);
    if (body.length > 2000) break;
  }
  return body.trim().slice(0, 200);
}
