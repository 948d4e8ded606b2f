import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  createGovernor,
  defaultScaleDown,
  defaultScaleUp,
  replicasByTotal,
  replicasByUsage,
  replicasByValue,
  type ScalingRules,
  unruledScaleUp,
} from '../../../src/capacity/simulation/hpa.ts';

/** What Kubernetes' controller did with metric timelines: deploy/proof/hpa.sh writes it. */
const golden = JSON.parse(readFileSync(join(import.meta.dirname, 'golden/hpa.json'), 'utf8')) as Golden;
const timelines = golden.timelines.map((timeline) => [timeline.name, timeline] as const);

type Golden = { kubernetes: string; timelines: Timeline[] };
type Timeline = {
  name: string;
  from: number;
  min: number;
  max: number;
  behavior?: { scaleUp?: Rules; scaleDown?: Rules };
  metrics: { kind: 'value' | 'average' | 'pods'; target: number }[];
  looks: Look[];
};
/** What it found (`read` in thousandths, one a metric), and the replicas after it. */
type Look = [atS: number, replicas: number, pods: number, ready: number, read: (number | null)[], then: number];
type Rules = {
  stabilizationWindowSeconds: number;
  selectPolicy: 'Max' | 'Min' | 'Disabled';
  policies: { type: 'Percent' | 'Pods'; value: number; periodSeconds: number }[];
  tolerance?: string;
};

describe("Kubernetes' own controller and the one that is played do the same", () => {
  it.each(timelines)('%s', (_, timeline) => {
    expect(played(timeline)).toEqual(timeline.looks.map(([atS, , , , , then]) => [atS, then]));
  });

  it('in timelines that move, both ways, and in which metrics are missing', () => {
    const steps = golden.timelines.flatMap(({ looks }) => looks.map(([, replicas, , , , then]) => then - replicas));
    expect(steps.filter((step) => step > 0).length).toBeGreaterThan(40);
    expect(steps.filter((step) => step < 0).length).toBeGreaterThan(40);
    expect(
      golden.timelines.flatMap(({ looks }) => looks).filter(([, , , , read]) => read.includes(null)).length,
    ).toBeGreaterThan(40);
    expect(golden.timelines.length).toBeGreaterThanOrEqual(10);
  });
});

/** Replicas after each look, each begun with what the one before made. */
function played({ from, min, max, behavior, metrics, looks }: Timeline): [atS: number, replicas: number][] {
  const up = behavior ? rulesOf(behavior.scaleUp, defaultScaleUp) : unruledScaleUp;
  const govern = createGovernor({ min, max, up, down: rulesOf(behavior?.scaleDown, defaultScaleDown) });
  const tolerance = Number(behavior?.scaleUp?.tolerance?.replace('m', 'e-3') ?? 0.1);
  let replicas = from;
  return looks.map(([atS, , pods, ready, read]) => {
    const wanted = metrics.map(({ kind, target }, i) => {
      const value = read[i];
      if (value === null || value === undefined) return undefined;
      const usage = value / 1000;
      if (kind === 'value') return replicasByValue({ pods: replicas, ready, usage: usage * ready, target, tolerance });
      if (kind === 'average') return replicasByTotal(pods, usage, target, tolerance);
      return replicasByUsage({ pods: replicas, ready, usage, target, tolerance });
    });
    // Outside its bounds the controller reads no metric.
    const isOutside = replicas < min || replicas > max;
    const most = isOutside ? Number.NaN : mostWanted(wanted, replicas);
    if (most !== undefined) replicas = govern(1000 * atS, replicas, most);
    return [atS, replicas];
  });
}

/** The most that any metric asks for; undefined: while one is missing nothing goes down, and while all are nothing happens. */
function mostWanted(wanted: readonly (number | undefined)[], replicas: number): number | undefined {
  const known = wanted.filter((one) => one !== undefined);
  const most = Math.max(...known);
  if (known.length === 0 || (known.length < wanted.length && most < replicas)) return undefined;
  return most;
}

function rulesOf(given: Rules | undefined, usual: ScalingRules): ScalingRules {
  if (!given) return usual;
  return {
    stabilizationMs: given.stabilizationWindowSeconds * 1000,
    select: given.selectPolicy.toLowerCase() as ScalingRules['select'],
    policies: given.policies.map(({ type, value, periodSeconds }) => ({
      type: type.toLowerCase() as 'percent' | 'pods',
      value,
      periodMs: periodSeconds * 1000,
    })),
  };
}
