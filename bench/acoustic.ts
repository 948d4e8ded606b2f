/**
 * What the acoustic engine costs on one thread: features a hop, the model a stream-step at every batch and chunk, a file, and
 * live streams against the clock. Run: npm run bench acoustic [MODEL_DIR]
 */

import { createInlineEngine } from '../src/acoustic/engine/inline-engine.ts';
import { FeatureStream } from '../src/acoustic/features/feature-stream.ts';
import { realFft } from '../src/acoustic/features/fft.ts';
import { createLogMelPlan } from '../src/acoustic/features/log-mel.ts';
import { StepQueue } from '../src/acoustic/features/step-queue.ts';
import { loadModelPackage } from '../src/acoustic/model/load-model.ts';
import type { ModelPackage } from '../src/acoustic/model/model-package.ts';
import { shapesUpTo } from '../src/acoustic/onnx/shapes.ts';
import { openStepper } from '../src/acoustic/onnx/stepper.ts';
import { createWorkerEngine } from '../src/acoustic/worker/worker-engine.ts';

const model = loadModelPackage(process.argv[2] ?? 'models/en-learner');
const second = sound(model.sampleRateHz);
print(`model ${model.name} ${model.version}, ${model.strideMs} ms a step, look-ahead ${model.lookaheadMs} ms`);
await benchFeatures(model);
await benchStepper(model);
await benchFile(model);
for (const streams of [20, 100, 200, 300, 400]) await benchLive(model, streams);

async function benchFeatures({ features, sampleRateHz }: ModelPackage): Promise<void> {
  const plan = createLogMelPlan(features, sampleRateHz, await realFft(features.fft));
  const queue = new StepQueue(features.bins * features.stack);
  const row = new Float32Array(100 * queue.width);
  const stream = new FeatureStream(model, plan, queue);
  const perSecond = median(40, () => {
    stream.push(second, 0);
    stream.take(queue.length, row, 0);
  });
  print(`features: ${((perSecond * 1000) / (1000 / features.hopMs)).toFixed(2)} us a hop`);
}

async function benchStepper(subject: ModelPackage): Promise<void> {
  const stepper = await openStepper(subject, 'auto', 1, () => shapesUpTo(64));
  print(`model on ${stepper.provider}, one thread:\nbatch  steps   us a stream-step   live streams a core`);
  for (const { batch, steps } of stepper.shapes.all) {
    if (steps <= 5) {
      const states = Array.from({ length: batch }, () => stepper.newState());
      const ms = await medianAsync(Math.max(15, 600 / batch), () => stepper.run(states, batch, steps));
      const perStep = ms / (batch * steps);
      const columns = [pad(batch, 5), pad(steps, 6), pad((perStep * 1000).toFixed(1), 18)];
      print(`${columns.join(' ')} ${pad((subject.strideMs / perStep).toFixed(0), 21)}`);
    }
  }
  await stepper.close();
}

async function benchFile(subject: ModelPackage): Promise<void> {
  const engine = await createInlineEngine({ model: subject });
  const play = async (seconds: number) => {
    const stream = engine.open(
      () => {},
      (error) => print(error.message),
    );
    for (let s = 0; s < seconds; s++) stream.push(second.slice());
    await stream.end();
  };
  await play(10);
  const start = performance.now();
  await play(60);
  print(`a file of 60 s, inline: ${(60_000 / (performance.now() - start)).toFixed(0)} times real time`);
  await engine.close();
}

/** `streams` learners push 20 ms each 20 ms for 6 s, at phases spread evenly; the lag is from a chunk's due time to its frames. */
async function benchLive(subject: ModelPackage, streams: number): Promise<void> {
  const engine = await createWorkerEngine({ model: subject });
  const chunk = second.subarray(0, (subject.sampleRateHz * 20) / 1000);
  const lags: number[] = [];
  const startMs = performance.now() + 100;
  const learners = Array.from({ length: streams }, (_, i) => {
    const phaseMs = (20 * i) / streams;
    // Frame f is known when the sound of the look-ahead, and of the window's overhang, is in as well.
    const onFrames = ({ firstFrame, count }: { firstFrame: number; count: number }) => {
      const heardMs = (firstFrame + count) * subject.strideMs + subject.lookaheadMs + 20;
      lags.push(performance.now() - (startMs + phaseMs + heardMs));
    };
    return { phaseMs, sent: 0, stream: engine.open(onFrames, (error) => print(error.message)) };
  });
  const cpuStart = process.cpuUsage();
  await new Promise<void>((resolve) => {
    const timer = setInterval(() => {
      const sinceMs = performance.now() - startMs;
      for (const learner of learners) {
        while (learner.sent * 20 + 20 + learner.phaseMs <= sinceMs) {
          learner.stream.push(chunk.slice());
          learner.sent++;
        }
      }
      if (sinceMs < 6000) return;
      clearInterval(timer);
      resolve();
    }, 2);
  });
  const cpu = process.cpuUsage(cpuStart);
  const stats = engine.stats();
  const recent = lags.slice(lags.length >> 1).sort((a, b) => a - b);
  const at = (share: number) => recent[Math.floor(share * (recent.length - 1))]?.toFixed(1) ?? 'none';
  const figures = `lag p50 ${at(0.5)}, p95 ${at(0.95)}, p99 ${at(0.99)} ms; busy ${(100 * stats.busy).toFixed(0)} %`;
  const cores = ((cpu.user + cpu.system) / 1e6 / 6).toFixed(2);
  print(`${pad(streams, 4)} live streams: ${figures}, mean batch ${stats.meanBatch.toFixed(1)}, ${cores} cores in all`);
  await engine.close();
}

function median(times: number, act: () => void): number {
  const took = Array.from({ length: times }, () => {
    const start = performance.now();
    act();
    return performance.now() - start;
  });
  return took.sort((a, b) => a - b)[times >> 1]!;
}

async function medianAsync(times: number, act: () => Promise<unknown>): Promise<number> {
  const took: number[] = [];
  for (let i = 0; i < times; i++) {
    const start = performance.now();
    await act();
    took.push(performance.now() - start);
  }
  return took.sort((a, b) => a - b)[took.length >> 1]!;
}

function sound(length: number): Float32Array {
  return Float32Array.from({ length }, (_, i) => 0.3 * Math.sin(i * i * 1e-6) + 0.01 * Math.sin(i * 0.37));
}

function pad(value: number | string, width: number): string {
  return String(value).padStart(width);
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
