import { describe, it } from 'vitest';
import { createDialect, type DialectSpec, dialectSpec } from '../../../src/dialects/catalogue.ts';
import { type GeneratorTask, runGenerator } from '../../../src/load/generator/generator.ts';
import { Recorder } from '../../../src/metrics/recorder.ts';
import { measurementsOf } from '../../../src/results/measurements.ts';
import { plansOf, taskOf } from '../../kit/shard.ts';
import { assemblyai } from '../../kit/vendors/assemblyai.ts';
import { deepgram } from '../../kit/vendors/deepgram.ts';
import { deepgramFlux } from '../../kit/vendors/deepgram-flux.ts';
import { startVendor, type Vendor, type VendorOptions } from '../../kit/vendors/emulator.ts';
import { funasr } from '../../kit/vendors/funasr.ts';
import { openaiRealtime } from '../../kit/vendors/openai-realtime.ts';
import { everybodySays } from '../../kit/vendors/script.ts';
import { sherpaOnnx } from '../../kit/vendors/sherpa-onnx.ts';
import { vllmRealtime } from '../../kit/vendors/vllm-realtime.ts';
import { vosk } from '../../kit/vendors/vosk.ts';

const find = everybodySays(
  [
    ['Good', 300],
    ['morning', 700],
  ],
  1000,
);

const spoken: [protocol: string, vendor: Vendor, options?: Record<string, unknown>][] = [
  ['deepgram', deepgram],
  ['openai-realtime', openaiRealtime],
  ['openai-realtime', vllmRealtime, { model: 'voxtral' }],
  ['vosk', vosk],
  ['sherpa-onnx', sherpaOnnx],
  ['assemblyai-v3', assemblyai],
  ['funasr', funasr],
  ['deepgram-flux', deepgramFlux],
];

describe.concurrent('learners who speak', () => {
  it.for(spoken)(
    '%s to its emulator get each final, and no complaint',
    async ([protocol, vendor, options], { expect }) => {
      const { tally, measured, result } = await run(protocol, vendor, {}, options);
      expect(result.sessionErrors).toEqual([]);
      expect(tally).toMatchObject({ sessions: 3, sessions_ok: 3, sessions_died: 0, sessions_refused: 0 });
      expect(tally.utterances).toBe(tally.utterances_due);
      expect(measured.distributions.final_latency).toMatchObject({ samples: tally.utterances, never: 0 });
      expect(measured.distributions.connect_time).toMatchObject({ samples: 3, never: 0 });
      expect(measured.distributions.first_partial.never).toBe(0);
    },
  );
});

async function run(
  protocol: string,
  vendor: Vendor,
  faults: VendorOptions['faults'] = {},
  options: Record<string, unknown> = {},
) {
  const running = await startVendor(vendor, { find, faults });
  const dialect = specOf(protocol, options);
  const frameMs = createDialect(dialect).audio.messageMs;
  // Two whole utterances each.
  const durationMs = 2500;
  const plans = plansOf(3, { frameMs, durationMs });
  const task: GeneratorTask = taskOf(plans, { url: new URL('/', running.url).href, dialect, frameMs, durationMs });
  const result = await runGenerator(task, { onProgress() {}, signal: new AbortController().signal });
  await running.close();
  const recorder = new Recorder(result.recording).merged();
  return { result, measured: measurementsOf(recorder), tally: recorder.tally, running };
}

function specOf(protocol: string, options: Record<string, unknown>): DialectSpec {
  const read = dialectSpec(protocol, options);
  if ('problems' in read || !read.spec) throw new Error(JSON.stringify(read));
  return read.spec;
}
