import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { toF32le } from '../../src/audio/pcm.ts';
import { readClip } from '../kit/server/real.ts';
import { assemblyai } from '../kit/vendors/assemblyai.ts';
import { deepgramFlux } from '../kit/vendors/deepgram-flux.ts';
import { startVendor, type Vendor, type VendorOptions } from '../kit/vendors/emulator.ts';
import { funasr } from '../kit/vendors/funasr.ts';
import { type InventedProtocol, invented } from '../kit/vendors/invented.ts';
import { callRaw, type RawCaller } from '../kit/vendors/raw-caller.ts';
import { ClipBook, everybodySays } from '../kit/vendors/script.ts';
import { sherpaOnnx } from '../kit/vendors/sherpa-onnx.ts';
import { vllmRealtime } from '../kit/vendors/vllm-realtime.ts';
import { vosk } from '../kit/vendors/vosk.ts';

const find = everybodySays(
  [
    ['Good', 300],
    ['morning', 700],
  ],
  1000,
);
const rateHz = 16_000;
/** One second of sound in ten messages. */
const pieces = Array.from({ length: 10 }, () => Buffer.alloc(rateHz / 5));

async function start(vendor: Vendor, options: Partial<VendorOptions> = {}) {
  const running = await startVendor(vendor, { find, ...options });
  onTestFinished(() => running.close());
  return running;
}

function speak(caller: RawCaller): void {
  for (const piece of pieces) caller.socket.send(piece);
}

it('answers as Vosk: once a message, words with times at the end, and closes behind them', async () => {
  const caller = await callRaw((await start(vosk)).url);
  caller.send({ config: { sample_rate: rateHz } });
  speak(caller);
  caller.send('{"eof" : 1}');
  await caller.until('result');
  expect(caller.said()).toHaveLength(11);
  expect(caller.said()[7]).toEqual({ partial: 'good morning' });
  expect(caller.said().at(-1)).toEqual({
    result: [
      { conf: 1, start: 0, end: 0.3, word: 'good' },
      { conf: 1, start: 0.3, end: 0.7, word: 'morning' },
    ],
    text: 'good morning',
  });
  expect((await caller.closed).code).toBe(1000);
});

it('knows the end of Vosk in one spelling alone, as its server does', async () => {
  const caller = await callRaw((await start(vosk)).url);
  speak(caller);
  caller.send('{"eof":1}');
  caller.send('{"eof" : 1}');
  await caller.until('"text"');
  expect(caller.said()).toHaveLength(12);
});

it('answers as sherpa-onnx: float samples, the whole segment each time, Done!', async () => {
  const caller = await callRaw((await start(sherpaOnnx)).url);
  for (const piece of pieces) caller.socket.send(toF32le(new Float32Array(piece.length / 2)));
  caller.send('Done');
  await caller.until('Done!');
  const said = caller.heard.slice(0, -1).map((text) => JSON.parse(String(text)));
  expect(said.map(({ text }) => text)).toEqual([' GOOD', ' GOOD MORNING', ' GOOD MORNING']);
  expect(said.at(-1)).toMatchObject({ segment: 0, is_final: true, is_eof: true, timestamps: [0, 0.3] });
});

it('answers as FunASR: pieces once each, then the sentence anew, for one utterance after the other', async () => {
  const caller = await callRaw((await start(funasr)).url, { protocols: ['binary'] });
  const begin = { mode: '2pass', chunk_size: [5, 5, 5], wav_name: 'a', is_speaking: true, wav_format: 'pcm' };
  for (const wav_name of ['a', 'b']) {
    caller.send({ ...begin, wav_name });
    speak(caller);
    caller.send({ is_speaking: false });
  }
  await caller.until('"wav_name":"b","text":"good morning"');
  expect(caller.said().map(({ mode, wav_name, text, is_final }) => [mode, wav_name, text, is_final])).toEqual([
    ['2pass-online', 'a', 'good', false],
    ['2pass-online', 'a', ' morning', false],
    ['2pass-offline', 'a', 'good morning', true],
    ['2pass-online', 'b', 'good', false],
    ['2pass-online', 'b', ' morning', false],
    ['2pass-offline', 'b', 'good morning', true],
  ]);
});

it('answers as AssemblyAI: turns whose words settle one by one, and closes when it is told', async () => {
  const vendor = await start(assemblyai, { key: 'secret' });
  const caller = await callRaw(`${vendor.url}?sample_rate=16000`, { headers: { authorization: 'secret' } });
  speak(caller);
  caller.send({ type: 'ForceEndpoint' });
  caller.send({ type: 'Terminate' });
  expect((await caller.closed).code).toBe(1000);
  const said = caller.said();
  expect(said.map(({ type }) => type)).toEqual(['Begin', ...Array(4).fill('Turn'), 'Turn', 'Termination']);
  const turns = said.filter(({ type }) => type === 'Turn');
  expect(turns.map(({ transcript }) => transcript)).toEqual(['', '', 'good', 'good', 'good morning']);
  expect(turns.at(-1)).toMatchObject({ end_of_turn: true, turn_order: 0, words: [{ end: 300 }, { end: 700 }] });
});

it('answers as AssemblyAI to messages that are too short', async () => {
  const caller = await callRaw((await start(assemblyai)).url);
  caller.socket.send(Buffer.alloc(640));
  expect(await caller.closed).toMatchObject({ code: 3007 });
  expect(caller.said().at(-1)).toMatchObject({ type: 'Error', error_code: 3007 });
});

it('answers as Flux: a turn starts, goes on and ends by a pause', async () => {
  const vendor = await start(deepgramFlux, { habits: { endpointMs: 200 } });
  const caller = await callRaw(`${vendor.url}?model=flux-general-en&encoding=linear16&sample_rate=16000`);
  speak(caller);
  await caller.until('EndOfTurn');
  const events = caller.said().map(({ type, event }) => event ?? type);
  expect(events).toEqual(['Connected', 'Update', 'StartOfTurn', 'EndOfTurn']);
  expect(caller.said().map(({ sequence_id }) => sequence_id)).toEqual([0, 1, 2, 3]);
  expect(caller.said().at(-1)).toMatchObject({ turn_index: 0, transcript: 'Good morning', trigger: 'model' });
  caller.send({ type: 'CloseStream' });
  expect((await caller.closed).code).toBe(1000);
});

it('answers as vLLM: nothing before a model is named and a commit begins', async () => {
  const caller = await callRaw((await start(vllmRealtime)).url);
  caller.send({ type: 'input_audio_buffer.commit' });
  await caller.until('model_not_validated');
  caller.send({ type: 'session.update', model: 'voxtral' });
  caller.send({ type: 'input_audio_buffer.commit' });
  for (const piece of pieces) caller.send({ type: 'input_audio_buffer.append', audio: piece.toString('base64') });
  caller.send({ type: 'input_audio_buffer.commit', final: true });
  await caller.until('transcription.done');
  expect(
    caller
      .said()
      .slice(2)
      .map(({ type, delta, text }) => [type, delta ?? text]),
  ).toEqual([
    ['transcription.delta', 'Good'],
    ['transcription.delta', ' morning'],
    ['transcription.done', 'Good morning'],
  ]);
});

it('answers as a protocol that a test invents', async () => {
  const protocol: InventedProtocol = {
    path: '/hear',
    rateHz,
    habits: { emitMs: 200, lagMs: 0, endpointMs: undefined },
    greeting: { ok: true },
    understand: ({ chunk, op }) => {
      if (op === 'end') return 'finish';
      if (op === 'ping') return { say: { op: 'pong' } };
      return op === 'bye' ? 'close' : { audio: String(chunk) };
    },
    answer: ({ is, words }) => ({ [is]: words.map(({ text }) => text) }),
    error: { oops: true },
  };
  const caller = await callRaw((await start(invented(protocol))).url);
  for (const piece of pieces) caller.send({ chunk: piece.toString('base64') });
  for (const op of ['end', 'ping', 'bye']) caller.send({ op });
  await caller.closed;
  const good = { partial: ['Good'] };
  const both = ['Good', 'morning'];
  const partials = [{ partial: [] }, good, good, { partial: both }, { partial: both }];
  expect(caller.said()).toEqual([{ ok: true }, ...partials, { final: both }, { op: 'pong' }]);
});

describe('clips that are known by their sound', () => {
  const { find } = new ClipBook().addManifest(join(import.meta.dirname, '../../fixtures/audio/manifest.jsonl'));

  it('are said at their own times, one after the other, whatever the length of messages', async () => {
    const caller = await callRaw((await start(vosk, { find })).url);
    caller.send({ config: { sample_rate: rateHz } });
    const texts = ['leader', 'monkeys'].map((id) => {
      const { samples, text } = readClip(id);
      for (let at = 0; at < samples.length; at += 777) caller.socket.send(samples.slice(at, at + 777));
      return text;
    });
    caller.send('{"eof" : 1}');
    await caller.until('result');
    const [first, second] = texts.map((text) => text.toLowerCase().replaceAll(/[.,]/g, ''));
    expect(caller.said().some(({ partial }) => partial === first)).toBe(true);
    expect(caller.said().at(-1)).toMatchObject({ text: second });
  });

  it('are understood by nobody when they are in no book', async () => {
    const caller = await callRaw((await start(vosk, { find })).url);
    caller.send({ config: { sample_rate: rateHz } });
    speak(caller);
    caller.send('{"eof" : 1}');
    await caller.until('"text"');
    expect(caller.said().at(-1)).toEqual({ text: '' });
  });
});
