import { describe, expect, it } from 'vitest';
import { planOf, shippedSources } from '../../kit/deployments.ts';
import { temporaryDirectory } from '../../kit/temporary-directory.ts';

const folder = temporaryDirectory();
const shipped = shippedSources();
/** The class without a floor of its own: `deploy` has to find it. */
const capacity = shipped.capacity.replace('  scaling: {minReplicas: 204}\n', '');

describe('a class of 20,000 that triples within a minute, played with the autoscalers that are deployed', () => {
  it('has its feedback without a wait, at its price, with the floor that was found', () => {
    const played = planOf(folder, { ...shipped, capacity }).play();
    expect(capacity).not.toBe(shipped.capacity);
    expect(played.simulation).toMatchObject({ never_served: 0, p95_wait_ms: 0 });
    expect(played.simulation.degraded_share).toBeLessThan(0.001);
    expect(played.simulation.cost.per_served_minute).toBeLessThan(0.001);
    expect(played.verdict).toBe('pass');
  });

  it('needs that floor: with the pods that the mean asks for it fails', () => {
    const few = shipped.capacity.replace('minReplicas: 204', 'minReplicas: 67');
    const { simulation, verdict } = planOf(folder, { ...shipped, capacity: few }).play();
    expect(verdict).toBe('fail');
    expect(simulation.degraded_share).toBeGreaterThan(0.05);
  });

  it('keeps it by KEDA as well', () => {
    const keda = planOf(folder, {
      ...shipped,
      capacity: shipped.capacity.replace('scaling: {', 'scaling: {kind: keda, '),
      values: shipped.values.replace('autoscaler: hpa', 'autoscaler: keda'),
    });
    expect(keda.play().verdict).toBe('pass');
  });

  it('takes the streams a pod that the scenario gives KEDA', () => {
    const keda = planOf(folder, {
      ...shipped,
      capacity: shipped.capacity.replace('scaling: {', 'scaling: {kind: keda, targetStreams: 60, '),
      values: shipped.values.replace('autoscaler: hpa', 'autoscaler: keda'),
    });
    const thresholds = keda.regions[0]!.files.flatMap(({ documents }) => documents)
      .filter(({ kind }) => kind === 'ScaledObject')
      .map(
        (document) =>
          /"threshold":\{"parts":\["",\{"name":"inference.targetSlots","value":"(\d+)"/.exec(
            JSON.stringify(document),
          )?.[1],
      );
    // Half of the 300 slots of a pod that carries 120 streams.
    expect(thresholds).toEqual(['150']);
  });

  it('plays each region at its own floor', () => {
    const regions = '  regions: [{name: eu, share: 75%, pinned: true}, {name: us, share: 25%, pinned: true}]\n';
    const residency =
      '  regions: [{name: eu, residency: stays, cluster: eu-1}, {name: us, residency: stays, cluster: us-1}]\n';
    const { simulation, verdict } = planOf(folder, {
      ...shipped,
      capacity: capacity + regions,
      values: shipped.values + residency,
    }).play();
    expect(verdict).toBe('pass');
    const [eu, us] = simulation.regions;
    expect(eu!.peak_pods).toBeGreaterThan(2 * us!.peak_pods);
  });
});
