import type { ServerEvent } from '../protocol/server-messages.ts';
import { type Stage, serverStages, stages } from '../protocol/stages.ts';

/** Stages as a report shows them: those of the wire, what the generator itself was late, and what nobody claims. */
export const reportStages = [...stages, 'late_send', 'unattributed'] as const satisfies readonly (
  | Stage
  | 'late_send'
  | 'unattributed'
)[];
export type ReportStage = (typeof reportStages)[number];

export type Timing = Extract<ServerEvent, { type: 'phoneme_feedback' }>['timing'];

/**
 * Splits one feedback's latency over the stages, ms; the parts sum to `totalMs` (or to more, when the server claims more
 * than there was). A simulated network knows what each way took; on a real one it is half a ping's round trip each, as far
 * as the time that nobody else claims goes. The rest is `unattributed`.
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
): Record<ReportStage, number> {
  const parts = emptyParts();
  parts.capture = known.captureMs;
  parts.late_send = known.lateSendMs;
  let restMs = totalMs - known.captureMs - known.lateSendMs;
  for (const stage of serverStages) {
    parts[stage] = known.timing[stage] ?? 0;
    restMs -= parts[stage];
  }
  const halfTripMs = Math.max(0, Math.min(known.roundTripMs, restMs)) / 2;
  parts.uplink = known.uplinkMs ?? halfTripMs;
  parts.downlink = known.downlinkMs ?? halfTripMs;
  parts.unattributed = Math.max(0, restMs - parts.uplink - parts.downlink);
  return parts;
}

function emptyParts(): Record<ReportStage, number> {
  return {
    capture: 0,
    uplink: 0,
    ingress: 0,
    queue: 0,
    features: 0,
    asr: 0,
    scoring: 0,
    emit: 0,
    downlink: 0,
    late_send: 0,
    unattributed: 0,
  };
}
