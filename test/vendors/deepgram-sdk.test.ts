import { describe, expect, it, onTestFinished } from 'vitest';
import { deepgram } from '../kit/vendors/deepgram.ts';
import { callDeepgram } from '../kit/vendors/deepgram-sdk.ts';
import { startVendor, type VendorOptions } from '../kit/vendors/emulator.ts';
import { everybodySays } from '../kit/vendors/script.ts';

/** The emulator of Deepgram, used by Deepgram's own SDK: what the one says the other understands. */
const find = everybodySays(
  [
    ['Good', 300],
    ['morning', 700],
    ['everybody', 1250],
  ],
  1500,
);
const rateHz = 16_000;
const sound = new Int16Array(1.5 * rateHz);

async function start(options: Partial<VendorOptions> = {}) {
  const vendor = await startVendor(deepgram, { find, key: 'secret', ...options });
  onTestFinished(() => vendor.close());
  return vendor;
}

describe("Deepgram's SDK", () => {
  it('hears what was said so far, then all of it when it asks, then the end', async () => {
    const vendor = await start();
    const caller = await callDeepgram(vendor.url, 'secret', { interim_results: 'true' });
    caller.live.sendKeepAlive({ type: 'KeepAlive' });
    caller.speak(sound, rateHz);
    caller.live.sendFinalize({ type: 'Finalize' });
    await caller.until((message) => message.type === 'Results' && message.is_final === true);
    caller.live.sendCloseStream({ type: 'CloseStream' });
    expect(await caller.closed).toEqual({ code: 1000, reason: '' });
    const texts = caller.results().map(({ channel }) => channel.alternatives[0]!.transcript);
    expect(new Set(texts)).toEqual(new Set(['', 'Good', 'Good morning', 'Good morning everybody']));
    const final = caller.results().find((result) => result.from_finalize)!;
    expect(final).toMatchObject({ start: 0, duration: 1.5, is_final: true, speech_final: false });
    expect(final.channel.alternatives[0]!.words.map(({ word, end }) => [word, end])).toEqual([
      ['good', 0.3],
      ['morning', 0.7],
      ['everybody', 1.25],
    ]);
    expect(caller.messages.at(-1)).toMatchObject({ type: 'Metadata', duration: 1.5, channels: 1 });
    expect(vendor.requests[0]!.headers.authorization).toBe('Token secret');
    expect(vendor.texts.map((text) => JSON.parse(text).type)).toEqual(['KeepAlive', 'Finalize', 'CloseStream']);
  });

  it('hears finals alone unless it asks for more, and where a pause ends one', async () => {
    const caller = await callDeepgram((await start()).url, 'secret', { endpointing: 100, vad_events: 'true' });
    caller.speak(sound, rateHz);
    await caller.until((message) => message.type === 'Results');
    expect(caller.results()).toMatchObject([{ is_final: true, speech_final: true, from_finalize: false }]);
    expect(caller.messages[0]).toMatchObject({ type: 'SpeechStarted', channel: [0] });
    caller.live.close();
  });

  it.each([
    ['a wrong key', {}, 'wrong', 401],
    ['too many requests', { faults: { refuse: { status: 429, retryAfterS: 3 } } } as const, 'secret', 429],
    ['a redirection', { faults: { redirect: 'ws://127.0.0.1:1/' } }, 'secret', 302],
  ])('is refused for %s', async (_, options, key, status) => {
    const vendor = await start(options);
    await expect(callDeepgram(vendor.url, key)).rejects.toThrow(`${status}`);
  });

  it.each([
    ['a close', { close: { atMs: 500, code: 1008, reason: 'DATA-0000: not audio' } }, 1008],
    ['a failure', { errorAtMs: 500 }, 1011],
    ['a cut', { cutAtMs: 500 }, 1006],
  ])('is told of %s amid the sound', async (_, faults, code) => {
    const caller = await callDeepgram((await start({ faults })).url, 'secret', { interim_results: 'true' });
    caller.speak(sound, rateHz);
    expect((await caller.closed).code).toBe(code);
  });
});
