import { request } from 'undici';
import { SpeechfbError } from '../errors.ts';

/** Where a run's metrics go, besides its files. */
export type PushTarget = {
  /** `PUT` for a Pushgateway, which then holds this run alone in its group; `POST` for OTLP. */
  method: 'PUT' | 'POST';
  url: string;
  contentType: string;
};

/** The Pushgateway at `root`: one group for each scenario. Throws `bad_url`. */
export function pushgatewayTarget(root: string, scenario: string): PushTarget {
  const url = `${httpRoot(root, '--push-prometheus')}/metrics/job/speechfb_loadtest/scenario/${encodeURIComponent(scenario)}`;
  return { method: 'PUT', url, contentType: 'text/plain; version=0.0.4; charset=utf-8' };
}

/** An OTLP/HTTP receiver; `/v1/metrics` is filled in when the URL has no path. Throws `bad_url`. */
export function otlpTarget(root: string): PushTarget {
  const base = httpRoot(root, '--otlp');
  const url = new URL(base).pathname === '/' ? `${base}/v1/metrics` : base;
  return { method: 'POST', url, contentType: 'application/json' };
}

/** Sends one document; throws `push_failed` with what the receiver said. */
export async function push(target: PushTarget, body: string, timeoutMs = 10_000): Promise<void> {
  const { method, url, contentType } = target;
  const failed = (why: string, cause?: unknown) =>
    new SpeechfbError('push_failed', `${url} did not take the metrics: ${why}`, { cause });
  let status: number;
  let said: string;
  try {
    const headers = { 'content-type': contentType };
    const timeouts = { headersTimeout: timeoutMs, bodyTimeout: timeoutMs };
    const response = await request(url, { method, body, headers, ...timeouts });
    status = response.statusCode;
    said = await response.body.text();
  } catch (cause) {
    throw failed((cause as Error).message || (cause as NodeJS.ErrnoException).code || 'no answer', cause);
  }
  if (status >= 300) throw failed(`status ${status} ${said.trim().slice(0, 200)}`);
}

function httpRoot(given: string, name: string): string {
  const url = URL.canParse(given) ? new URL(given) : undefined;
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return url.href.replace(/\/+$/, '');
  throw new SpeechfbError('bad_url', `${name}: "${given}" is not an HTTP URL; allowed: http://host:port, https://`);
}
