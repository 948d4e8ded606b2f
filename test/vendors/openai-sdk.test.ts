import { describe, expect, it, onTestFinished } from 'vitest';
import { localhostTls } from '../kit/localhost.ts';
import { startVendor, type VendorOptions } from '../kit/vendors/emulator.ts';
import { openaiRealtime } from '../kit/vendors/openai-realtime.ts';
import { callOpenai, transcriptionSession } from '../kit/vendors/openai-sdk.ts';
import { everybodySays } from '../kit/vendors/script.ts';

/** The emulator of OpenAI's transcription session, used by OpenAI's own SDK. */
const find = everybodySays(
  [
    ['Good', 300],
    ['morning', 700],
    ['everybody', 1250],
  ],
  1500,
);
const rateHz = 24_000;
const sound = new Int16Array(1.5 * rateHz);

async function start(options: Partial<VendorOptions> = {}) {
  const vendor = await startVendor(openaiRealtime, { find, key: 'secret', tls: localhostTls, ...options });
  onTestFinished(() => vendor.close());
  return vendor;
}

describe("OpenAI's SDK", () => {
  it('opens a transcription session, hears deltas, and the whole when it commits', async () => {
    const vendor = await start();
    const caller = await callOpenai(vendor.url, 'secret');
    await caller.until('session.created');
    caller.realtime.send(transcriptionSession());
    await caller.until('session.updated');
    caller.speak(sound, rateHz);
    caller.realtime.send({ type: 'input_audio_buffer.commit' });
    const completed = await caller.until('conversation.item.input_audio_transcription.completed');
    expect(completed).toMatchObject({
      transcript: 'Good morning everybody',
      usage: { type: 'duration', seconds: 1.5 },
    });
    const deltas = caller.of('conversation.item.input_audio_transcription.delta');
    expect(deltas.map(({ delta }) => delta)).toEqual(['Good', ' morning', ' everybody']);
    const items = [...deltas, ...caller.of('input_audio_buffer.committed')].map(({ item_id }) => item_id);
    expect(new Set(items)).toEqual(new Set([completed.item_id]));
    expect(vendor.requests[0]!.query.get('model')).toBe('gpt-realtime-whisper');
    caller.realtime.close();
    expect((await caller.closed).code).toBe(1000);
    expect(caller.errors).toEqual([]);
  });

  it('is told where speech starts and stops when the server looks for turns', async () => {
    const caller = await callOpenai((await start()).url, 'secret');
    caller.realtime.send(transcriptionSession(undefined, { type: 'server_vad', silence_duration_ms: 100 }));
    caller.speak(sound, rateHz);
    const completed = await caller.until('conversation.item.input_audio_transcription.completed');
    const [started] = caller.of('input_audio_buffer.speech_started');
    const [stopped] = caller.of('input_audio_buffer.speech_stopped');
    expect(started).toMatchObject({ item_id: completed.item_id, audio_start_ms: 150 });
    expect(stopped).toMatchObject({ item_id: completed.item_id, audio_end_ms: 1250 });
    caller.realtime.close();
  });

  it('forgets what was cleared', async () => {
    const caller = await callOpenai((await start()).url, 'secret');
    caller.realtime.send(transcriptionSession());
    caller.speak(sound.subarray(0, 0.5 * rateHz), rateHz);
    caller.realtime.send({ type: 'input_audio_buffer.clear' });
    await caller.until('input_audio_buffer.cleared');
    caller.realtime.send({ type: 'input_audio_buffer.commit' });
    await caller.until('error');
    expect(caller.errors[0]!.message).toContain('input_audio_buffer_commit_empty');
    caller.realtime.close();
  });

  it.each([
    ['a rate that is not 24 kHz', { format: { type: 'audio/pcm', rate: 16_000 } }, 'session.audio.input.format.rate'],
  ])('is told of %s', async (_, input, param) => {
    const caller = await callOpenai((await start()).url, 'secret');
    caller.realtime.send({ type: 'session.update', session: { type: 'transcription', audio: { input } } } as never);
    await caller.until('error');
    expect(caller.errors[0]!.message).toContain(param);
    caller.realtime.close();
  });

  it.each([
    ['a wrong key', {}, 'wrong', '401'],
    ['too many requests', { faults: { refuse: { status: 429, retryAfterS: 3 } } } as const, 'secret', '429'],
  ])('is refused for %s', async (_, options, key, status) => {
    const { url } = await start(options);
    await expect(callOpenai(url, key)).rejects.toThrow(status);
  });

  it('is told of a failure of the server', async () => {
    const caller = await callOpenai((await start({ faults: { errorAtMs: 500 } })).url, 'secret');
    caller.realtime.send(transcriptionSession());
    caller.speak(sound, rateHz);
    expect((await caller.closed).code).toBe(1011);
    expect(caller.errors[0]!.message).toContain('server_error');
  });
});
