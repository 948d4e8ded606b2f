import { randomUUID } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import { type Credentials, dialectLinks, streamLinks } from '../../client/dialect-links.ts';
import type { Link, LinkEvents } from '../../client/link/link.ts';
import type { LinkTransport } from '../../client/link/quic-way.ts';
import { refusal } from '../../client/link/upgrade-answer.ts';
import type { TlsOptions } from '../../client/link/websocket-connection.ts';
import { tlsTrouble } from '../../client/tls-trouble.ts';
import type { Dialect, SessionInput } from '../../dialects/dialect.ts';
import { SpeechfbError } from '../../errors.ts';
import { hideSecrets } from '../../redact.ts';
import type { SecretUrl } from '../../secret-url.ts';

export type PreflightTarget = {
  url: SecretUrl;
  token: string | undefined;
  tls: TlsOptions | undefined;
  transport?: LinkTransport | undefined;
  credentials?: Credentials | undefined;
  /** Undefined: speechfb.v1. */
  dialect?: Dialect | undefined;
  /** What its first learner reads: a server that asks for that refuses who reads nothing. */
  reads?: { text: string; language: string } | undefined;
};

/**
 * Opens one connection to the server and closes it again, before any load: a target that is not
 * there, is not trusted or does not want this token is a mistake in the test, no measurement.
 * Throws `connection_refused`, also when it is aborted, or `session_refused` with the server's own
 * words. A server that dies later is measured.
 */
export async function preflight(
  target: PreflightTarget,
  { patienceMs = 8000, signal }: { patienceMs?: number; signal?: AbortSignal } = {},
): Promise<void> {
  const { url } = target;
  const open = linksTo(target);
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

function linksTo({ url, dialect, token, tls, transport, credentials, reads }: PreflightTarget) {
  const clock = () => performance.now();
  const address = { url: url.href, token, tls, transport, credentials };
  return dialect
    ? dialectLinks(address, dialect.connect(sessionOf(dialect, reads)), { clock })
    : streamLinks(address, clock);
}

/** A session that says nothing. */
function sessionOf({ audio }: Dialect, reads?: PreflightTarget['reads']): SessionInput {
  const { text, language } = reads ?? { text: '', language: 'en-US' };
  return { sampleRateHz: audio.sampleRateHz, language, reference: { text }, session: randomUUID() };
}

/** What a server of another dialect has against us; undefined for other messages. */
function errorIn(dialect: Dialect, message: string): string | undefined {
  const error = dialect
    .speaker(sessionOf(dialect))
    .heard(message)
    .find((heard) => heard.is === 'error');
  return error && (error.code === undefined ? error.message : `${error.code}: ${error.message}`);
}

/**
 * Asks with a ping: what a server has against the caller it says at once, before it answers that.
 * One of another dialect that answers no ping is taken for well after a while.
 */
function greeting(
  { url, token, dialect, credentials }: PreflightTarget,
  known: () => void,
  failed: (error: SpeechfbError) => void,
): LinkEvents {
  let said = '';
  let opened = false;
  return {
    opened(link) {
      opened = true;
      link.ping();
      if (dialect) setTimeout(known, unansweredMs).unref();
    },
    message(bytes, begin, end) {
      const message = bytes.toString('utf8', begin, Math.min(end, begin + mostBytesSaid));
      if (dialect) said = errorIn(dialect, message)?.slice(0, mostWords) ?? said;
      else said = wordsOf(message);
    },
    binary() {},
    pong: () => known(),
    closed(code, reason) {
      // A server may quote the key that it was called with.
      const words = hideSecrets(url.hide(said || reason), [token ?? '', ...(credentials?.secrets ?? [])]);
      if (!opened && !reason.startsWith(refusal)) return failed(unreachable(url, words || 'it closes the connection'));
      const why = words || `it closed with code ${code}`;
      failed(new SpeechfbError('session_refused', `${url} refuses us before any load: ${why}`, hintFor(why)));
    },
  };
}

function unreachable(url: SecretUrl, cause: string): SpeechfbError {
  const trouble = tlsTrouble(cause, url.hostname);
  const hint = {
    plain: `try ${`${url}`.replace(/^(ws|grpc)s:/, '$1:')}`,
    name: 'call it by a name of its certificate, or trust anybody with spec.target.tls.insecure',
    untrusted: 'trust its authority with spec.target.tls.ca, or anybody with spec.target.tls.insecure',
    none: url.isGrpc ? undefined : hintOfUnreached(cause),
  }[trouble?.kind ?? 'none'];
  return new SpeechfbError('connection_refused', `nothing to load at ${url}: ${trouble?.words ?? cause}`, {
    ...(hint !== undefined && { hint }),
  });
}

function hintOfUnreached(cause: string): string {
  return /subprotocol/.test(cause)
    ? 'name what it speaks with spec.target.protocol; speechfb probe shows what it says'
    : 'start a server with: speechfb serve';
}

function hintFor(words: string): { hint?: string } {
  return /unauthorized|UNAUTHENTICATED|401/.test(words)
    ? { hint: 'give the token with --token-file or spec.target.tokenFile, any other key with spec.target.auth' }
    : {};
}

/** How long a server may leave a ping unanswered. */
const unansweredMs = 1500;

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
