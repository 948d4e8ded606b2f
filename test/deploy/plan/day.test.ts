import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { planFile } from '../../../src/commands/capacity/read.ts';
import { readDeployInputs } from '../../../src/commands/deploy/read.ts';
import { planDeployment } from '../../../src/deploy/deployment.ts';
import { manifestsOf } from '../../kit/deployments.ts';

const file = 'capacity/class-day.yaml';
type Behavior = Record<'scaleUp' | 'scaleDown', Record<string, unknown>>;
type Scaling = { target: string; minReplicas: number; maxReplicas: number; behavior: Behavior };

describe('a day of 20,000 who triple at nine', () => {
  it('is played with the very numbers of the HPA that is deployed for it', () => {
    const { inputs, extras } = readDeployInputs({ capacity: file, slo: 'live-feedback', format: 'manifests' });
    const values = { ...inputs.values, value: { ...inputs.values.value, rollout: 'none' as const } };
    const found = (given: typeof inputs) => {
      const autoscalers = manifestsOf(planDeployment(given, extras)).filter(
        ({ kind, metadata }) => kind === 'HorizontalPodAutoscaler' && metadata.name === 'speechfb-inference',
      );
      return autoscalers[0]!.spec! as Omit<Scaling, 'target'> & {
        metrics: { external: { metric: { name: string }; target: { value: string } } }[];
      };
    };
    const written = found({ ...inputs, values });
    // What the day asks for by itself, not what the scenario repeats.
    const { scaling: _, ...alone } = inputs.capacity.value;
    expect(found({ ...inputs, values, capacity: { ...inputs.capacity, value: alone } })).toEqual(written);

    const { scaling } = (parse(readFileSync(file, 'utf8')) as { spec: { scaling: Scaling & { signal: string } } }).spec;
    const { metric, target } = written.metrics[0]!.external;
    expect({ signal: metric.name, target: target.value }).toEqual({
      signal: 'speechfb_slots_used_ratio',
      target: '769m',
    });
    expect({ signal: scaling.signal, target: scaling.target }).toEqual({ signal: 'slots', target: '76.9%' });
    const { minReplicas, maxReplicas, behavior } = scaling;
    const usual = { selectPolicy: 'Max' };
    expect({ minReplicas, maxReplicas }).toEqual({
      minReplicas: written.minReplicas,
      maxReplicas: written.maxReplicas,
    });
    for (const way of ['scaleUp', 'scaleDown'] as const)
      expect({ ...usual, ...behavior[way] }, way).toEqual(written.behavior[way]);
  });

  it('has its feedback without a wait for 24 hours, at its price', () => {
    const { simulation, verdict } = planFile(file, {});
    expect(simulation.duration_ms).toBe(24 * 3_600_000);
    expect(simulation.streams).toBeGreaterThan(4_000_000);
    expect(simulation.peak_streams).toBeGreaterThan(23_000);
    expect(simulation).toMatchObject({ never_served: 0, p95_wait_ms: 0 });
    expect(simulation.degraded_share).toBeLessThan(0.0001);
    // Own pods for every minute: the floor that the lesson needs stands all day and all night.
    expect(simulation.cost.per_served_minute).toBeGreaterThan(0.002);
    expect(simulation.cost.per_served_minute).toBeLessThan(0.004);
    expect(verdict).toBe('pass');
  });

  it('misses the lesson with a floor that only the usual day needs', () => {
    const few = planFile(file, { override: { key: 'scaling.minReplicas', value: 67 } });
    expect(few.verdict).toBe('fail');
    expect(few.simulation.degraded_share).toBeGreaterThan(0.005);
  });
});
