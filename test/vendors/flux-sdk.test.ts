import { DeepgramClient } from '@deepgram/sdk';
import { expect, it, onTestFinished } from 'vitest';
import { deepgramFlux } from '../kit/vendors/deepgram-flux.ts';
import { startVendor } from '../kit/vendors/emulator.ts';
import { everybodySays } from '../kit/vendors/script.ts';

it("is understood by Deepgram's own SDK: a turn from its start to its end, then the end of the stream", async () => {
  const find = everybodySays(
    [
      ['Good', 300],
      ['morning', 700],
    ],
    1200,
  );
  const vendor = await startVendor(deepgramFlux, { find, key: 'secret' });
  onTestFinished(() => vendor.close());
  const client = new DeepgramClient({ apiKey: 'secret', baseUrl: new URL(vendor.url).origin, reconnect: false });
  const format = { model: 'flux-general-en', encoding: 'linear16', sample_rate: 16_000 } as const;
  const live = await client.listen.v2.connect({ ...format, reconnectAttempts: 0 });
  const heard: { type: string; event?: string; transcript?: string }[] = [];
  live.on('message', (message) => heard.push(message as (typeof heard)[number]));
  const closed = new Promise<number>((resolve) => {
    live.on('close', ({ code }) => resolve(code));
  });
  live.connect();
  await live.waitForOpen();
  for (let i = 0; i < 12; i++) live.sendMedia(new Int16Array(1600));
  live.sendCloseStream({ type: 'CloseStream' });
  expect(await closed).toBe(1000);
  expect(heard.map(({ type, event }) => event ?? type)).toEqual([
    'Connected',
    'Update',
    'StartOfTurn',
    'Update',
    'EndOfTurn',
  ]);
  expect(heard.at(-1)).toMatchObject({ transcript: 'Good morning' });
});
