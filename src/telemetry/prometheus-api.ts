import { request } from 'undici';
import { SpeechfbError } from '../errors.ts';
import { flag } from '../flag.ts';
import { SecretUrl } from '../secret-url.ts';

/** The part of Prometheus' HTTP API (v1) that evaluations need. Times in ms since the epoch. */
export type PrometheusApi = {
  /** The value of an expression that gives one number; undefined when it gives no sample or NaN. */
  value(expression: string, atMs: number): Promise<number | undefined>;
  /** Its values from `startMs` to `endMs`, one a step; missing steps are absent. */
  series(expression: string, range: { startMs: number; endMs: number; stepMs: number }): Promise<Sample[]>;
};

type Sample = { atMs: number; value: number };

/**
 * `baseUrl` is the server's root, such as http://localhost:9090, or the root of a path below which
 * the API lives; user and password in it are sent as Basic auth.
 */
export function createPrometheusApi(baseUrl: string, timeoutMs = 30_000): PrometheusApi {
  const root = flag('--prometheus', (given) => SecretUrl.parse(given, 'prometheus'))(baseUrl);
  return {
    async value(expression, atMs) {
      const result = await ask(root, 'query', { query: expression, time: String(atMs / 1000) }, timeoutMs);
      return samplesOf(result, expression)[0]?.value;
    },
    async series(expression, { startMs, endMs, stepMs }) {
      const range = { start: String(startMs / 1000), end: String(endMs / 1000), step: String(stepMs / 1000) };
      return samplesOf(await ask(root, 'query_range', { query: expression, ...range }, timeoutMs), expression);
    },
  };
}

type Answer = {
  status?: string;
  error?: string;
  data?: { resultType?: string; result?: unknown };
};

async function ask(
  root: SecretUrl,
  endpoint: string,
  form: Record<string, string>,
  timeoutMs: number,
): Promise<Answer> {
  let text: string;
  let status: number;
  try {
    const response = await request(root.below(`/api/v1/${endpoint}`).href, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded', ...root.authorization },
      body: new URLSearchParams(form).toString(),
      headersTimeout: timeoutMs,
      bodyTimeout: timeoutMs,
    });
    status = response.statusCode;
    text = await response.body.text();
  } catch (cause) {
    const message = `cannot reach the Prometheus at ${root}: ${root.hide((cause as Error).message)}`;
    throw new SpeechfbError('prometheus_unreachable', message, {
      hint: 'give its root, such as http://host:9090',
      cause,
    });
  }
  const answer = parsed(text);
  if (status === 200 && answer?.status === 'success') return answer;
  const said = root.hide(answer?.error ?? `HTTP ${status}, ${JSON.stringify(text.slice(0, 80))}`);
  throw new SpeechfbError('prometheus_refused', `the Prometheus at ${root} refused "${form.query}": ${said}`);
}

function parsed(text: string): Answer | undefined {
  try {
    return JSON.parse(text) as Answer;
  } catch {
    return undefined;
  }
}

/**
 * The samples of the only series of a result. Several series mean that the expression does not say
 * what it counts.
 */
function samplesOf({ data }: Answer, expression: string): Sample[] {
  const { resultType, result } = data ?? {};
  if (resultType === 'scalar') return [result].flatMap(sampleOf);
  if (!Array.isArray(result) || result.length === 0) return [];
  if (result.length > 1) {
    const hint = 'sum over the labels that tell them apart';
    throw new SpeechfbError('prometheus_ambiguous', `"${expression}" gives ${result.length} series, not one`, { hint });
  }
  const { value, values } = result[0] as { value?: unknown; values?: unknown };
  return (Array.isArray(values) ? values : [value]).flatMap(sampleOf);
}

/** `[seconds, "value"]`; NaN, such as a ratio of nothing, is no sample. */
function sampleOf(pair: unknown): Sample[] {
  if (!Array.isArray(pair)) return [];
  const value = Number(pair[1]);
  return Number.isNaN(value) ? [] : [{ atMs: Number(pair[0]) * 1000, value }];
}
