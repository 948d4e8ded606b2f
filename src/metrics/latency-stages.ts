import type { ServerEvent } from '../protocol/server-messages.ts';
import { type Stage, stages } from '../protocol/stages.ts';

/**
 * Stages as a report shows them: those of the wire, what the generator itself was late, and what
 * nobody claims.
 */
export const reportStages = [...stages, 'late_send', 'unattributed'] as const satisfies readonly (
  | Stage
  | 'late_send'
  | 'unattributed'
)[];
export type ReportStage = (typeof reportStages)[number];

export type Timing = Extract<ServerEvent, { type: 'phoneme_feedback' }>['timing'];

/** One latency split by stage, ms, in the order of `reportStages`. */
export type LatencyParts = Float64Array;

/**
 * Splits one feedback's latency over the stages, ms; the parts sum to `totalMs` (or to more, when
 * the server claims more than there was). For those who split a thousand in a second, `parts` is a
 * place to put them. A simulated network knows what each way took; on a real one it is half a
 * ping's round trip each, as far as the time that nobody else claims goes. The rest is
 * `unattributed`.
 */
export function splitLatency(
  totalMs: number,
  known: {
    captureMs: number;
    lateSendMs: number;
    roundTripMs: number;
    uplinkMs?: number | undefined;
    downlinkMs?: number | undefined;
    timing: Timing;
  },
  parts: LatencyParts = new Float64Array(reportStages.length),
): LatencyParts {
  const { captureMs, lateSendMs, timing } = known;
  const { window = 0, ingress = 0, queue = 0, features = 0, asr = 0, scoring = 0, emit = 0 } = timing;
  const restMs = totalMs - captureMs - lateSendMs - window - ingress - queue - features - asr - scoring - emit;
  const halfTripMs = Math.max(0, Math.min(known.roundTripMs, restMs)) / 2;
  const uplinkMs = known.uplinkMs ?? halfTripMs;
  const downlinkMs = known.downlinkMs ?? halfTripMs;
  parts[at.capture] = captureMs;
  parts[at.window] = window;
  parts[at.uplink] = uplinkMs;
  parts[at.ingress] = ingress;
  parts[at.queue] = queue;
  parts[at.features] = features;
  parts[at.asr] = asr;
  parts[at.scoring] = scoring;
  parts[at.emit] = emit;
  parts[at.downlink] = downlinkMs;
  parts[at.late_send] = lateSendMs;
  parts[at.unattributed] = Math.max(0, restMs - uplinkMs - downlinkMs);
  return parts;
}

/** The parts by name. */
export function namedParts(parts: ArrayLike<number>): Record<ReportStage, number> {
  return Object.fromEntries(reportStages.map((stage, i) => [stage, parts[i]!])) as Record<ReportStage, number>;
}

const at = Object.fromEntries(reportStages.map((stage, i) => [stage, i])) as Record<ReportStage, number>;
