import { performance } from 'node:perf_hooks';
import type { Link, LinkEvents } from '../../client/link/link.ts';
import { refusal } from '../../client/link/upgrade-answer.ts';
import { socketLinks, type TlsOptions } from '../../client/link/websocket-connection.ts';
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
  target: PreflightTarget,
  { patienceMs = 8000, signal }: { patienceMs?: number; signal?: AbortSignal } = {},
): Promise<void> {
  const { url, token, tls } = target;
  const open = socketLinks({ url: url.href, token, tls }, () => performance.now());
  let link: Link | undefined;
  let timer: NodeJS.Timeout | undefined;
  try {
    await new Promise<void>((resolve, reject) => {
      signal?.addEventListener('abort', () => reject(unreachable(url, 'it was not waited for')), { once: true });
      timer = setTimeout(() => reject(unreachable(url, `no answer within ${patienceMs / 1000} s`)), patienceMs);
      link = open(greeting(target, resolve, reject));
    });
    link?.goodbye();
    link = undefined;
  } finally {
    clearTimeout(timer);
    link?.terminate();
  }
}

/**
 * Asks with a ping: what a server has against the caller it says at once, before it answers that.
 */
function greeting(
  { url, token }: PreflightTarget,
  known: () => void,
  failed: (error: SpeechfbError) => void,
): LinkEvents {
  let said = '';
  let opened = false;
  return {
    opened(link) {
      opened = true;
      link.ping();
    },
    message(bytes, begin, end) {
      said = wordsOf(bytes.toString('utf8', begin, Math.min(end, begin + mostBytesSaid)));
    },
    binary() {},
    pong: () => known(),
    closed(code, reason) {
      // A server may quote the key that it was called with.
      const words = hideSecrets(url.hide(said || reason), [token ?? '']);
      if (!opened && !reason.startsWith(refusal)) return failed(unreachable(url, words || 'it closes the connection'));
      const why = words || `it closed with code ${code}`;
      failed(new SpeechfbError('session_refused', `${url} refuses us before any load: ${why}`, hintFor(why)));
    },
  };
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

/** The sentence of an error event, as the server wrote it. */
function wordsOf(message: string): string {
  try {
    const event: unknown = JSON.parse(message);
    if (typeof event === 'object' && event !== null && 'code' in event && 'message' in event)
      return `${event.code}: ${event.message}`.slice(0, mostWords);
  } catch {
    // No event of ours: its beginning tells enough.
  }
  return message.slice(0, mostWords);
}

/** An error of ours is shorter; of a longer message the beginning tells enough. */
const mostBytesSaid = 4000;
const mostWords = 200;
