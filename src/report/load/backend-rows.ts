import { formatMs } from '../../format.ts';
import type { LoadReport } from '../../results/report.ts';

/**
 * What each backend did that wrote transcripts; none where the server does not say. Finals count
 * from the end of their utterances; `moved` and `lost` are transcripts that it did not go on with.
 */
export const backendHead = ['transcripts by', 'sessions', 'without phones', 'finals', 'p50', 'p95', 'moved', 'lost'];

/** The rows below that head. */
export function backendRows({ backends }: Pick<LoadReport, 'backends'>): string[][] {
  return backends.map(({ name, sessions, withoutPhones, finals, finalLatency, moved, lost }) => [
    name,
    ...[sessions, withoutPhones, finals].map(String),
    ...[finalLatency.p50Ms, finalLatency.p95Ms].map((ms) => (ms === undefined ? '' : formatMs(ms))),
    ...[moved, lost].map(String),
  ]);
}
