import type { Dialect } from '../../dialects/dialect.ts';
import type { ProbeRun } from '../../load/probe/play.ts';
import type { ProbeClip, ProbeSummary } from '../../load/probe/reading.ts';

type Probed = {
  url: string;
  dialect: Dialect;
  like: string | undefined;
  clip: ProbeClip;
  run: ProbeRun;
  summary: ProbeSummary;
};

/** A probe as `--json` prints it; times in ms from the first sample on, null: never. */
export function probeDocument({ url, dialect, like, clip, run, summary }: Probed): object {
  const finite = (ms: number | undefined) => (ms === undefined || !Number.isFinite(ms) ? null : ms);
  return {
    kind: 'Probe',
    version: 1,
    url,
    protocol: dialect.name,
    looks_like: like ?? null,
    text: clip.text,
    language: clip.language,
    sound_ms: clip.soundMs,
    ready_ms: finite(run.readyMs),
    latest_send_ms: run.latestSendMs,
    end: { outcome: run.end.outcome, code: run.end.code, reason: run.end.reason },
    messages: run.messages.map(({ atMs, raw, heard }) => ({
      at_ms: atMs,
      ...(typeof raw === 'string' ? { text: raw } : { base64: Buffer.from(raw).toString('base64') }),
      taken_for: heard.map(({ is, ...rest }) => ({ is, ...('send' in rest ? {} : rest) })),
    })),
    words: summary.words.map(({ text, endMs, firstMs, finalMs }) => ({
      text,
      end_ms: finite(endMs),
      first_ms: finite(firstMs),
      final_ms: finite(finalMs),
    })),
    word_latency: summary.wordLatency
      ? { p50_ms: finite(summary.wordLatency.p50Ms), max_ms: finite(summary.wordLatency.maxMs) }
      : null,
    first_partial_ms: finite(summary.firstPartialMs),
    final_latency_ms: finite(summary.finalLatencyMs),
    wer: summary.wer ?? null,
    measurable: summary.measurable,
    unmeasurable: summary.unmeasurable,
  };
}
