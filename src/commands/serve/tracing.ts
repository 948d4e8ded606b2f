import { SecretUrl } from '../../secret-url.ts';
import type { Log } from '../../telemetry/log.ts';
import type { Traces } from '../../telemetry/tracing/otlp-tracing.ts';
import { packageVersion } from '../package.ts';
import type { TracingSettings } from './flags/tracing-flags.ts';

/** Loads what traces need; undefined where nobody wants them. */
export async function openTracing(settings: TracingSettings | undefined, log: Log): Promise<Traces | undefined> {
  if (!settings) return undefined;
  const { openOtlpTracing } = await import('../../telemetry/tracing/otlp-tracing.ts');
  const { url: given, ...keeping } = settings;
  const url = SecretUrl.parse(given, 'http');
  const otlp = String(url);
  log.info({ otlp, ...keeping }, 'traces are sent');
  return openOtlpTracing({
    url,
    version: packageVersion(),
    ...keeping,
    onTrouble: (why) => {
      if (why === undefined) log.info({ otlp }, 'spans are taken again');
      else log.warn({ otlp, why: url.hide(why) }, 'spans are lost: their receiver does not take them');
    },
  });
}
