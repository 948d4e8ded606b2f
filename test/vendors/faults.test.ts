import { describe, expect, it, onTestFinished } from 'vitest';
import { startVendor } from '../kit/vendors/emulator.ts';
import { rubbish, Stalls, type VendorFaults } from '../kit/vendors/faults.ts';
import { Ledger, percentileOf } from '../kit/vendors/ledger.ts';
import { callRaw, refusedCall } from '../kit/vendors/raw-caller.ts';
import { everybodySays } from '../kit/vendors/script.ts';
import { vosk } from '../kit/vendors/vosk.ts';

const find = everybodySays(
  [
    ['one', 200],
    ['two', 400],
    ['three', 600],
  ],
  800,
);
const piece = Buffer.alloc(3200);

async function start(faults: VendorFaults) {
  const vendor = await startVendor(vosk, { find, faults });
  onTestFinished(() => vendor.close());
  return vendor;
}

async function speak(url: string) {
  const caller = await callRaw(url);
  caller.send({ config: { sample_rate: 16_000 } });
  for (let i = 0; i < 8; i++) caller.socket.send(piece);
  caller.send('{"eof" : 1}');
  return caller;
}

describe('what goes wrong with a vendor', () => {
  it('may be a refusal with its time to wait, so many times', async () => {
    const { url } = await start({ refuse: { status: 429, retryAfterS: 7, times: 1 } });
    expect(await refusedCall(url)).toMatchObject({ status: 429, headers: { 'retry-after': '7' } });
    await (await speak(url)).until('"text"');
  });

  it('may be a redirection, or a path that it does not have', async () => {
    const { url } = await start({ redirect: 'ws://elsewhere.example/' });
    expect(await refusedCall(url)).toMatchObject({ status: 302, headers: { location: 'ws://elsewhere.example/' } });
    expect(await refusedCall(`${(await start({})).url}nowhere`)).toMatchObject({ status: 404 });
  });

  it.each(Object.entries(rubbish))('may be answers that are %s', async (kind, spoil) => {
    const { url } = await start({ rubbish: { atMs: 500, kind: kind as keyof typeof rubbish } });
    const caller = await speak(url);
    caller.socket.close();
    await caller.closed;
    expect(caller.heard[3]).toBe('{"partial":"one"}');
    expect(caller.heard[4]).toEqual(spoil('{"partial":"one two"}'));
  });

  it('may be partial answers out of order, and finals twice, or never', async () => {
    const swapped = await speak((await start({ swaps: true, duplicateFinals: true })).url);
    swapped.socket.close();
    await swapped.closed;
    const partials = swapped.said().map(({ partial }) => partial);
    expect(partials.slice(2, 6)).toEqual(['one', 'one', 'one two', 'one two']);
    expect(partials.slice(0, 2)).toEqual(['', '']);
    expect(swapped.said().filter(({ text }) => text === 'one two three')).toHaveLength(2);
    const never = await speak((await start({ neverFinal: true })).url);
    never.socket.close();
    await never.closed;
    expect(never.said().some(({ text }) => text !== undefined)).toBe(false);
  });

  it('may be silence: what was not answered was never felt', async () => {
    const vendor = await start({ hangAtMs: 300 });
    const caller = await speak(vendor.url);
    caller.socket.close();
    await caller.closed;
    expect(vendor.ledger.wordLatenciesMs().map(Number.isFinite)).toEqual([true, false, false]);
  });
});

it('stands still at known times, and says everything in order afterwards', () => {
  const stalls = new Stalls(1000, { lengthMs: 100, everyMs: 500, firstMs: 200 });
  const moments = [1000, 1199, 1200, 1250, 1299, 1300, 1699, 1700, 1799, 1800];
  expect(moments.map((atMs) => stalls.over(atMs))).toEqual([
    1000, 1199, 1300, 1300, 1300, 1300, 1699, 1800, 1800, 1800,
  ]);
});

it('answers nothing while it stands still, and its ledger knows what phones felt', async () => {
  const vendor = await start({ stall: { lengthMs: 150, everyMs: 1e9, firstMs: 0 } });
  const caller = await speak(vendor.url);
  await caller.until('"text"');
  expect(caller.said()).toHaveLength(9);
  const felt = vendor.ledger.feedbackLatenciesMs(100);
  expect(felt).toHaveLength(8);
  // All sound came at once: the last of it was due then, and what is before it 700 ms earlier.
  expect(percentileOf(felt, 1)).toBeGreaterThan(700);
});

describe('a ledger', () => {
  it('counts from due times: the earliest that any of the sound allows', () => {
    const ledger = new Ledger();
    const entry = ledger.utterance();
    for (const endMs of [200, 300]) entry.word(endMs);
    // The second frame came 40 ms late, and was answered at once.
    for (const [endMs, atMs] of [
      [100, 1100],
      [200, 1240],
      [300, 1300],
      [400, 1400],
    ] as const)
      entry.sound(endMs, atMs);
    entry.answered({ coversMs: 100, words: 0, isFinal: false }, 1110);
    entry.answered({ coversMs: 200, words: 1, isFinal: false }, 1250);
    entry.answered({ coversMs: 400, words: 1, isFinal: true }, 1460);
    expect(ledger.feedbackLatenciesMs(100)).toEqual([10, 50, 160, 60]);
    expect(ledger.wordLatenciesMs()).toEqual([50, Number.POSITIVE_INFINITY]);
    expect(ledger.wordFinalLatenciesMs()).toEqual([260, Number.POSITIVE_INFINITY]);
  });

  it('has percentiles by rank', () => {
    expect([0.5, 0.99, 1].map((p) => percentileOf([4, 1, 3, 2], p))).toEqual([2, 4, 4]);
  });
});
