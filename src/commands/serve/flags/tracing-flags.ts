import { SpeechfbError } from '../../../errors.ts';
import { flag } from '../../../flag.ts';
import { SecretUrl } from '../../../secret-url.ts';
import { parseDurationMs, parsePercent } from '../../../units.ts';

/** What the flags say of traces. */
export type TracingFlags = { otlp?: string; traceShare?: number; traceSlow?: number };

/** Where traces go and which are kept, as plain data; a secret stays in the environment. */
export type TracingSettings = { url: string; share: number; slowMs: number };

/**
 * Undefined: nobody wants traces. What the flags do not say the environment may, by the names that
 * OpenTelemetry has for it.
 * @throws SpeechfbError `bad_flag`, `bad_url`, `unset_variable`
 */
export function tracingSettingsOf(
  { otlp, traceShare, traceSlow }: TracingFlags,
  env: Readonly<Record<string, string | undefined>> = process.env,
): TracingSettings | undefined {
  const url = otlp === undefined ? urlOf(env) : tracesUrl('--otlp', otlp, true);
  if (url === undefined) {
    const strays = { '--trace-share': traceShare, '--trace-slow': traceSlow };
    const stray = Object.entries(strays).find(([, value]) => value !== undefined)?.[0];
    if (stray === undefined) return undefined;
    const hint = 'add --otlp URL, or set OTEL_EXPORTER_OTLP_ENDPOINT';
    throw new SpeechfbError('bad_flag', `${stray} is for traces, and none are sent`, { hint });
  }
  return { url, share: traceShare ?? defaultShare, slowMs: traceSlow ?? defaultSlowMs };
}

/** `1%` or `0.01`, nothing to all. */
export const parseTraceShare = (text: string): number => {
  const share = /%\s*$/.test(text) ? parsePercent(text) : Number(text.trim() === '' ? Number.NaN : text);
  if (share >= 0 && share <= 1) return share;
  throw new SpeechfbError('bad_flag', `"${text}" is not a share; allowed: 0 to 1, or 0% to 100%`);
};

/** A feedback or final that took longer than this is slow. */
export const parseTraceSlow = flag('--trace-slow', parseDurationMs);

function urlOf(env: Readonly<Record<string, string | undefined>>): string | undefined {
  const said = (name: string): string | undefined => env[name]?.trim() || undefined;
  if (said('OTEL_SDK_DISABLED')?.toLowerCase() === 'true' || said('OTEL_TRACES_EXPORTER') === 'none') return undefined;
  const [own, all] = ['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', 'OTEL_EXPORTER_OTLP_ENDPOINT'] as const;
  const [name, isOwn] = said(own) === undefined ? [all, false] : [own, true];
  const given = said(name);
  if (given === undefined) return undefined;
  const protocol = said('OTEL_EXPORTER_OTLP_TRACES_PROTOCOL') ?? said('OTEL_EXPORTER_OTLP_PROTOCOL');
  if (protocol !== undefined && protocol !== spoken) {
    const hint = `set OTEL_EXPORTER_OTLP_TRACES_PROTOCOL=${spoken}, or OTEL_TRACES_EXPORTER=none for no traces`;
    const message = `the environment wants traces over OTLP as "${protocol}"; allowed: ${spoken}`;
    throw new SpeechfbError('bad_flag', message, { hint });
  }
  return tracesUrl(name, given, isOwn);
}

/** @param isWhole whether a path in it is that of traces, and not one that theirs is below */
function tracesUrl(name: string, given: string, isWhole: boolean): string {
  const url = flag(name, (text: string) => SecretUrl.parse(text, 'http'))(given);
  if (url.hasQuery || url.hasFragment) {
    const message = `${name} "${url}" has more than host, port and path; allowed: http://host:4318`;
    throw new SpeechfbError('bad_url', message);
  }
  return isWhole && url.hasPath ? given : `${given.replace(/\/+$/, '')}/v1/traces`;
}

const spoken = 'http/protobuf';
const defaultShare = 0.01;
const defaultSlowMs = 500;
