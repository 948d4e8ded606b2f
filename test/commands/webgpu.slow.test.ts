import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PhonemeResult } from '../../src/protocol/result.ts';
import type { ServerEvent } from '../../src/protocol/server-messages.ts';
import { bin } from '../kit/program.ts';
import type { TestClient } from '../kit/server/client.ts';
import { finalOf, finalsInFeedback, lastFrame, sendClip, startReading } from '../kit/server/reader.ts';
import { readClip } from '../kit/server/real.ts';
import { lackOfGpu, losableGpu, softwareGpu } from '../kit/software-gpu.ts';
import { temporaryDirectory } from '../kit/temporary-directory.ts';

const lack = lackOfGpu();
if (lack) console.warn(`SKIPPED: nothing was run on a GPU: ${lack}`);

it('a GPU to try is there on CI', () => {
  if (process.env.CI) expect(lack).toBeUndefined();
});

const started: ChildProcess[] = [];
afterAll(() => {
  for (const child of started) child.kill('SIGKILL');
});

const clips = ['leader', 'monkeys'].map(readClip);

describe.skipIf(lack !== undefined)('the shipped network on a software GPU', () => {
  /** The package without its form for CPUs: both devices run the same network. */
  let floats: string;
  let onCpu: Awaited<ReturnType<typeof readOnCpu>>;
  beforeAll(async () => {
    floats = floatPackage();
    onCpu = await readOnCpu(floats);
  });

  it('scores files as the CPU does: every score and feature within .02', async () => {
    const onGpu = await scoreClips(floats, 'webgpu', softwareGpu());
    const wanted = await scoreClips(floats, 'cpu', process.env);
    expect(onGpu.said).toContain('real time on webgpu');
    expect(onGpu.numbers.length).toBeGreaterThan(4000);
    expect(onGpu.numbers.length).toBe(wanted.numbers.length);
    expect(largest(onGpu.numbers.map((value, i) => value - wanted.numbers[i]!))).toBeLessThan(0.02);
  }, 240_000);

  it('keeps the states of its streams', async () => {
    const built = pathToFileURL(resolve(import.meta.dirname, '../../dist/acoustic')).href;
    const script = `
      const { openStepper } = await import('${built}/onnx/stepper.js');
      const { loadModelPackage } = await import('${built}/model/load-model.js');
      const stepper = await openStepper(loadModelPackage('models/en-learner'), 'webgpu', 1);
      console.log(stepper.provider, stepper.constructor.name);
      await stepper.close();`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], { env: softwareGpu() });
    let said = '';
    child.stdout.on('data', (chunk: Buffer) => {
      said += chunk;
    });
    expect((await once(child, 'close'))[0]).toBe(0);
    expect(said).toBe('webgpu ResidentStepper\n');
  });

  it('serves live streams as the CPU does: each final phone the same, its scores within .02', async () => {
    const gpu = await start(['--device', 'webgpu', '--model', floats], softwareGpu());
    expect(gpu.ready).toContain('on webgpu');
    const heard = await Promise.all(clips.map((clip) => read(gpu.url, clip)));
    expectSame(heard, onCpu);
    expect(await metricsOf(gpu.url)).toContain('speechfb_engine_device{device="webgpu"} 1');
  }, 240_000);

  it('loses its device amid live streams, and the CPU goes on: no phone is lost or comes twice', async () => {
    const { env, lose } = losableGpu();
    const gpu = await start(['--device', 'webgpu'], env);
    const readers = await Promise.all(clips.map((clip) => startReading(gpu.url, clip)));
    const half = clips.map((clip) => Math.floor(lastFrame(clip) / 2));
    for (const [i, reader] of readers.entries()) sendClip(reader, clips[i]!, 0, half[i]!);
    await Promise.all(readers.map((reader) => reader.until('phoneme_feedback')));
    lose();
    for (const [i, reader] of readers.entries()) {
      sendClip(reader, clips[i]!, half[i]! + 1, lastFrame(clips[i]!));
      reader.send({ type: 'close', last_seq: lastFrame(clips[i]!) });
    }
    await Promise.all(readers.map((reader) => reader.closed));
    expectSame(readers.map(eventsOf), onCpu);

    const metrics = await metricsOf(gpu.url);
    expect(metrics).toContain('speechfb_engine_device{device="webgpu"} 0');
    expect(metrics).toContain('speechfb_engine_device{device="cpu"} 1');
    expect(metrics).toContain('speechfb_engine_fallbacks_total 1');
    expect(metrics).toContain('speechfb_engine_restarts 0');
    const ready = await fetch(new URL('/readyz', gpu.url.replace('ws', 'http')));
    expect([ready.status, await ready.json()]).toEqual([200, expect.objectContaining({ status: 'ready' })]);
    const line = gpu
      .stderr()
      .split('\n')
      .filter((text) => text.includes('was lost'));
    expect(line).toHaveLength(1);
    expect(JSON.parse(line[0]!)).toMatchObject({
      device: 'webgpu',
      provider: 'cpu',
      reason: expect.stringMatching(/lost/),
      msg: 'the device of the model was lost, the CPU goes on',
    });
    // Whoever comes afterwards is served too.
    expectSame([await read(gpu.url, clips[0]!)], onCpu.slice(0, 1));
    gpu.child.kill('SIGTERM');
    await once(gpu.child, 'exit');
    expect(gpu.child.exitCode).toBe(0);
  }, 240_000);
});

function floatPackage(): string {
  const directory = temporaryDirectory();
  const shipped = resolve(import.meta.dirname, '../../models/en-learner');
  const { onnx_cpu: _, ...description } = JSON.parse(readFileSync(join(shipped, 'model.json'), 'utf8'));
  writeFileSync(join(directory, 'model.json'), JSON.stringify(description));
  for (const name of [description.onnx, 'calibration.json']) copyFileSync(join(shipped, name), join(directory, name));
  return directory;
}

/** What `score` says of the clips, and every number that it writes of them. */
async function scoreClips(model: string, device: string, env: NodeJS.ProcessEnv) {
  const directory = temporaryDirectory();
  const [manifest, out] = [join(directory, 'in.jsonl'), join(directory, 'out.jsonl')];
  writeFileSync(manifest, clips.map(({ id, path, text }) => `${JSON.stringify({ id, audio: path, text })}\n`).join(''));
  const flags = ['--manifest', manifest, '--out', out, '--features', '--model', model, '--device', device];
  const child = spawn(process.execPath, [bin, 'score', ...flags], { env });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => {
    said += chunk;
  });
  const [code] = await once(child, 'close');
  if (code !== 0) throw new Error(said);
  const lines = readFileSync(out, 'utf8').trim().split('\n');
  return { said, numbers: lines.flatMap((line) => numbersIn(JSON.parse(line))) };
}

function numbersIn(value: unknown): number[] {
  if (typeof value === 'number') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(numbersIn) : [];
}

/** A server that waits for a slow device, and takes whoever comes. */
async function start(flags: readonly string[], env = process.env) {
  const patience = ['inference_timeout_ms', 'silent_model_ms', 'busy_step_p95_ms', 'overload_delay_ms'].flatMap(
    (limit) => ['--limit', `${limit}=200000`],
  );
  const child: ChildProcess = spawn(process.execPath, [bin, 'serve', '--port', '0', ...patience, ...flags], { env });
  started.push(child);
  let stderr = '';
  child.stderr!.on('data', (chunk: Buffer) => {
    stderr += chunk;
  });
  for await (const chunk of child.stdout!) {
    const ready = /ready at (ws:\S+).*/.exec(String(chunk));
    if (ready) return { child, ready: ready[0], url: ready[1]!, stderr: () => stderr };
  }
  throw new Error(`the server ended before it was ready: ${stderr}`);
}

async function read(url: string, clip: (typeof clips)[number]): Promise<readonly ServerEvent[]> {
  const client = await startReading(url, clip);
  sendClip(client, clip, 0, lastFrame(clip));
  client.send({ type: 'close', last_seq: lastFrame(clip) });
  await client.closed;
  return eventsOf(client);
}

async function readOnCpu(model: string) {
  const { child, url } = await start(['--device', 'cpu', '--model', model]);
  const heard = await Promise.all(clips.map((clip) => read(url, clip)));
  child.kill('SIGKILL');
  return heard;
}

function eventsOf(client: TestClient): readonly ServerEvent[] {
  expect(client.of('error')).toEqual([]);
  return client.events;
}

/** Each phone is final once while it is heard, and in the end as it is there. */
function expectSame(heard: readonly (readonly ServerEvent[])[], wanted: readonly (readonly ServerEvent[])[]): void {
  for (const [i, events] of heard.entries()) {
    const live = finalsInFeedback(events).map(({ index }) => index);
    expect(new Set(live).size).toBe(live.length);
    expect(live).toEqual(live.toSorted((a, b) => a - b));
    const [found, expected] = [phonesOf(events), phonesOf(wanted[i]!)];
    expect(found.map(({ phoneme }) => phoneme)).toEqual(expected.map(({ phoneme }) => phoneme));
    expect(found.map(timeOf)).toEqual(expected.map(timeOf));
    expect(largest(found.map((phone, at) => phone.accuracy! / 100 - expected[at]!.accuracy! / 100))).toBeLessThan(0.02);
    expect(largest(found.map((phone, at) => phone.gop! - expected[at]!.gop!))).toBeLessThan(0.02);
  }
}

function phonesOf(events: readonly ServerEvent[]): PhonemeResult[] {
  return finalOf(events).words.flatMap((word) => word.phonemes);
}

function timeOf({ start_ms, end_ms }: PhonemeResult): string {
  return `${start_ms}-${end_ms}`;
}

function largest(differences: readonly number[]): number {
  return differences.reduce((most, difference) => Math.max(most, Math.abs(difference)), 0);
}

async function metricsOf(url: string): Promise<string> {
  return await (await fetch(new URL('/metrics', url.replace('ws', 'http')))).text();
}
