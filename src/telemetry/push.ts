import { request } from 'undici';
import { SpeechfbError } from '../errors.ts';
import { flag } from '../flag.ts';
import { SecretUrl } from '../secret-url.ts';

/** Where a run's metrics go, besides its files. */
export type PushTarget = {
  /** `PUT` for a Pushgateway, which then holds this run alone in its group; `POST` for OTLP. */
  method: 'PUT' | 'POST';
  /** User and password in it are sent as Basic auth. */
  url: SecretUrl;
  contentType: string;
};

/** The Pushgateway at `root`: one group for each scenario. Throws `bad_url` or `unset_variable`. */
export function pushgatewayTarget(root: string, scenario: string): PushTarget {
  const group = `/metrics/job/speechfb_loadtest/scenario/${encodeURIComponent(scenario)}`;
  const url = flag('--push-prometheus', httpUrl)(root).below(group);
  return { method: 'PUT', url, contentType: 'text/plain; version=0.0.4; charset=utf-8' };
}

/**
 * An OTLP/HTTP receiver; `/v1/metrics` is filled in when the URL has no path. Throws `bad_url` or
 * `unset_variable`.
 */
export function otlpTarget(root: string): PushTarget {
  const base = flag('--otlp', httpUrl)(root);
  return { method: 'POST', url: base.hasPath ? base : base.below('/v1/metrics'), contentType: 'application/json' };
}

/** Sends one document; throws `push_failed` with what the receiver said. */
export async function push(target: PushTarget, body: string, timeoutMs = 10_000): Promise<void> {
  const { method, url, contentType } = target;
  const failed = (why: string, cause?: unknown) =>
    new SpeechfbError('push_failed', `${url} did not take the metrics: ${url.hide(why)}`, { cause });
  let status: number;
  let said: string;
  try {
    const headers = { 'content-type': contentType, ...url.authorization };
    const timeouts = { headersTimeout: timeoutMs, bodyTimeout: timeoutMs };
    const response = await request(url.href, { method, body, headers, ...timeouts });
    status = response.statusCode;
    said = await response.body.text();
  } catch (cause) {
    throw failed((cause as Error).message || (cause as NodeJS.ErrnoException).code || 'no answer', cause);
  }
  if (status >= 300) throw failed(`status ${status} ${said.trim().slice(0, 200)}`);
}

function httpUrl(given: string): SecretUrl {
  return SecretUrl.parse(given, 'http');
}
