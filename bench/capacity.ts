import { defaultScaleDown, defaultScaleUp } from '../src/capacity/simulation/hpa.ts';
import { simulate } from '../src/capacity/simulation/simulate.ts';

/** How long a day of 20,000 users takes to simulate, all of them online all day: the target is under 5 s. */
const hours = 24;
const bounds = { min: 1, max: 1000, up: defaultScaleUp, down: defaultScaleDown };
const started = performance.now();
const { events, streams } = simulate({
  regions: [
    {
      name: 'all',
      users: () => 20_000,
      initialPods: 88,
      scaling: { kind: 'hpa', target: 0.77, tolerance: 0.1, syncMs: 15_000, ...bounds },
      pinned: false,
      managedPool: 0,
    },
  ],
  managedLimits: [100],
  share: 0.7,
  spillover: true,
  pod: { streams: 120, startupMs: 120_000, warmupMs: 0, warmupShare: 1 },
  duty: 0.4,
  turnMs: 60_000,
  durationMs: hours * 3_600_000,
  seed: 1,
});
const seconds = (performance.now() - started) / 1000;
console.log(`${hours} h of 20,000 users: ${streams} streams, ${events} events in ${seconds.toFixed(2)} s`);
console.log(`${((seconds / events) * 1e9).toFixed(0)} ns an event`);
