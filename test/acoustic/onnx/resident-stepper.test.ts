import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { loadModelPackage } from '../../../src/acoustic/model/load-model.ts';
import type { ModelPackage } from '../../../src/acoustic/model/model-package.ts';
import type { ModelStepper, StreamState } from '../../../src/acoustic/onnx/model-stepper.ts';
import { openSession } from '../../../src/acoustic/onnx/onnx-session.ts';
import { withResidentStates } from '../../../src/acoustic/onnx/resident-graph.ts';
import { openResident } from '../../../src/acoustic/onnx/resident-stepper.ts';
import { shapesUpTo } from '../../../src/acoustic/onnx/shapes.ts';
import { Stepper } from '../../../src/acoustic/onnx/stepper.ts';
import { largestDifference, tiny } from '../../kit/tiny-model.ts';

const shipped = loadModelPackage('models/en-learner');
const shapes = shapesUpTo(8);

/** The same network twice: with states that come and go, and with states that stay. */
async function pair(model: ModelPackage, scoreWidth: number): Promise<{ host: ModelStepper; resident: ModelStepper }> {
  const open = () => openSession({ onnxPath: model.onnxPath }, 'cpu', 1, async () => {});
  const host = new Stepper(model, await open(), scoreWidth, shapes);
  const resident = await openResident(model, await open(), { scoreWidth, shapes });
  return { host, resident };
}

type Twin = { host: StreamState; resident: StreamState };

/** Seeded numbers from 0 to 1. */
function draws(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

async function runBoth(host: ModelStepper, resident: ModelStepper, twins: Twin[], steps: number, draw: () => number) {
  const bucket = [1, 2, 4, 8].find((size) => size >= twins.length)!;
  for (let i = 0; i < bucket * steps * host.featureWidth; i++) host.features[i] = 4 * draw() - 2;
  resident.features.set(host.features);
  const states = (of: keyof Twin) => twins.map((twin) => twin[of]);
  const wanted = await host.run(states('host'), bucket, steps);
  const found = await resident.run(states('resident'), bucket, steps);
  const rows = twins.length * steps;
  const difference = (a: Float32Array, b: Float32Array, width: number) =>
    largestDifference(a.subarray(0, rows * width), b.subarray(0, rows * width));
  return Math.max(
    difference(found.logPosterior, wanted.logPosterior, host.phones),
    difference(found.scoreLogit!, wanted.scoreLogit!, host.scoreWidth),
  );
}

describe('states that stay on the device', () => {
  it.each([
    ['shipped', shipped, 40],
    ['tiny', tiny, 4],
  ])('give what states give that come and go, whoever runs with whom: %s', async (_, model, scoreWidth) => {
    const { host, resident } = await pair(model, scoreWidth);
    const draw = draws(3);
    const newTwin = (): Twin => ({ host: host.newState(), resident: resident.newState() });
    // More streams than there is room for at first: it is made while they are in the middle.
    const twins = Array.from({ length: 20 }, newTwin);
    let largest = 0;
    for (let run = 0; run < 150; run++) {
      if (run % 2 === 1) twins.push(newTwin());
      // A stream ends, and another begins where it was.
      if (run % 7 === 6) {
        const [over] = twins.splice(Math.floor(draw() * twins.length), 1);
        host.recycle(over!.host);
        resident.recycle(over!.resident);
      }
      const shuffled = twins.map((twin) => ({ twin, key: draw() })).sort((a, b) => a.key - b.key);
      const batch = shuffled.slice(0, 1 + Math.floor(draw() * 8)).map(({ twin }) => twin);
      largest = Math.max(largest, await runBoth(host, resident, batch, [1, 2, 5][run % 3]!, draw));
    }
    expect(twins.length).toBeGreaterThan(70);
    expect(largest).toBeLessThan(1e-4);
    await Promise.all([host.close(), resident.close()]);
  });

  it('are not made of what is no model', () => {
    const bytes = readFileSync(shipped.onnxPath);
    expect(() => withResidentStates(bytes.subarray(0, 1000), shipped.states)).toThrow(RangeError);
    expect(() => withResidentStates(Uint8Array.from([0xff]), shipped.states)).toThrow(RangeError);
  });
});
