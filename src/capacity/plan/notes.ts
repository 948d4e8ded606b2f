import { byteRate, count, dollars, formatMs, numberText, percent, whole } from '../../format.ts';
import type { Lever } from './lever.ts';
import type { CapacityDetails, CapacityResult, SimulationResult } from './result.ts';
import type { Plan } from './sizes.ts';

type Answer = Pick<CapacityResult, 'ingress_bytes_per_second' | 'pods' | 'cost' | 'simulation'>;
type Details = Omit<CapacityDetails, 'notes'>;

/**
 * What the linear rule and the list price hide in this scenario, a sentence each, the sizes first.
 */
export function notesOn(plan: Plan, answer: Answer, details: Details, lever: Lever | undefined): string[] {
  return [
    onIngress(answer, details),
    onLinearRule(plan, answer, details),
    ...onSpike(plan, answer, details),
    onLever(answer, lever),
    onManagedLimit(plan),
    onMinutes(plan),
    onShare(plan),
    onCost(answer),
    onCurve(details),
    onThroughput(details),
    groupsNote(answer.simulation),
  ].filter((note) => note !== undefined);
}

function onIngress({ ingress_bytes_per_second: audio }: Answer, { codec }: Details): string {
  const more = codec.wire_bytes_per_second / audio - 1;
  const wire = `frame, WebSocket, TLS and TCP headers make it ${byteRate(codec.wire_bytes_per_second)} on the wire`;
  return `${codec.note}; ${wire} (+${percent(more)})`;
}

function onLinearRule({ streamsPerPod }: Plan, { pods }: Answer, { linear_rule_short }: Details): string {
  const carries = `${count(pods.minimum, 'pod')} for ${count(pods.minimum * streamsPerPod, 'stream')}`;
  return `the linear rule sizes for the mean: ${carries}, and ${percent(linear_rule_short)} of moments want more`;
}

function onSpike({ spec, users, streamsPerPod, active }: Plan, { pods, simulation }: Answer, { pods: all }: Details) {
  const { spike } = spec.demand;
  if (!spike || !all.at_spike) return [];
  const carried = (pods.with_headroom * streamsPerPod) / (active * spike.factor);
  return [
    `the spike of ${spike.factor}x brings ${whole(users * spike.factor)} users and needs ${whole(all.at_spike.minimum)} pods; ${whole(pods.with_headroom)} with headroom carry ${percent(Math.min(1, carried))} of it`,
    `a pod takes ${formatMs(spec.pod.startup + spec.pod.warmup)} to serve: simulated, ${whole(simulation.degraded_stream_minutes)} stream-minutes (${percent(simulation.degraded_share)}) go without feedback, and ${waits(simulation.p95_wait_ms)}`,
  ];
}

function waits(p95Ms: number | null): string {
  if (p95Ms === null) return 'more than one turn in twenty is never served';
  return `the p95 of the wait is ${formatMs(p95Ms)}`;
}

function onLever({ simulation: now }: Answer, lever: Lever | undefined): string | undefined {
  if (!lever) return undefined;
  const { minReplicas, simulation } = lever;
  const [before, after] = [now.cost.per_served_minute, simulation.cost.per_served_minute];
  const price =
    before === null || after === null ? '' : `, and a served minute costs ${dollars(after)}, not ${dollars(before)}`;
  return `with scaling.minReplicas: ${minReplicas}, pods that are ready before the spike, ${percent(simulation.degraded_share)} go without feedback${price}`;
}

function onManagedLimit({ supply, active, spec }: Plan): string | undefined {
  const limit = spec.supply.managed?.maxConcurrent;
  const share = 1 - (supply.selfHosted?.share ?? 0);
  if (limit === undefined || share * active <= limit) return undefined;
  return `the plan buys ${percent(share)} as managed, ${whole(share * active)} streams, but the provider allows ${whole(limit)}: ${percent(limit / active)} at most`;
}

function onMinutes({ spec, streamsPerPod }: Plan): string | undefined {
  const given = spec.supply.selfHosted?.audioMinutesPerHour;
  if (given === undefined) return undefined;
  const full = 60 * streamsPerPod;
  if (Math.abs(given / full - 1) < 0.01) return undefined;
  return `${whole(given)} audio minutes an hour are ${whole(given / 60)} streams, the pod is sized for ${whole(streamsPerPod)} (${whole(full)} minutes): one of the two is off`;
}

function onShare({ supply, active, streamsPerPod }: Plan): string | undefined {
  const share = supply.selfHosted?.share ?? 1;
  if (share === 1 || share === 0) return undefined;
  const pods = whole(Math.ceil((active * share) / streamsPerPod));
  return `the pod counts carry every stream; the self-hosted ${percent(share)} alone needs ${pods}`;
}

function onCost({ cost, simulation }: Answer): string | undefined {
  const { per_served_minute: real, idle_share } = simulation.cost;
  if (real === null || cost.blended_per_minute === null) return undefined;
  return `simulated, a served minute costs ${dollars(real)} against ${dollars(cost.blended_per_minute)} as planned: ${percent(simulation.self_hosted_share)} is self-hosted and ${percent(idle_share)} of the paid pod time idles`;
}

function onCurve({ streams_per_pod: { by_curve } }: Details): string | undefined {
  if (!by_curve) return undefined;
  if (by_curve.firstMiss) {
    const { streams, latencyMs } = by_curve.firstMiss;
    return `the curve holds to ${whole(by_curve.streams)} streams (${formatMs(by_curve.latencyMs!)}); the next measured load, ${whole(streams)}, ${takes(latencyMs)}`;
  }
  return `every measured load keeps the limit: ${whole(by_curve.streams)} streams is where the measurement stopped, not where the pod does`;
}

function takes(latencyMs: number): string {
  return Number.isFinite(latencyMs) ? `takes ${formatMs(latencyMs)}` : 'leaves more unanswered than the percentile may';
}

function onThroughput({ streams_per_pod: { value, by_curve } }: Details): string | undefined {
  if (!by_curve?.usl || !by_curve.peak) return undefined;
  const { usl, peak } = by_curve;
  const law = `alpha ${usl.alpha.toPrecision(3)}, beta ${usl.beta.toPrecision(3)}, gamma ${usl.gamma.toPrecision(4)}`;
  if (!Number.isFinite(peak.load)) return `the scalability law (${law}) finds no load that slows the pod down`;
  const beyond = value > peak.load ? ': the pod is sized beyond it, where more load does less work' : '';
  return `by the scalability law (${law}) throughput peaks at ${whole(peak.load)} streams${beyond}`;
}

/** Said where learners were not played one by one, and how much rougher that is. */
export function groupsNote({ regions }: Pick<SimulationResult, 'regions'>): string | undefined {
  const most = Math.max(...regions.map(({ learners_a_group }) => learners_a_group));
  if (most === 1) return undefined;
  const chance = `chance weighs up to ${numberText(Math.sqrt(most))} times what it does where each is alone`;
  return `more turns of speech than are played one by one: up to ${whole(most)} learners speak and listen together, and ${chance}`;
}
