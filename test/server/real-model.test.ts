import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createInlineEngine } from '../../src/acoustic/engine/inline-engine.ts';
import { scoreFile } from '../../src/scoring/score-file.ts';
import { resolveReference } from '../../src/scoring/text/reference.ts';
import { connect, startMessage } from '../kit/server/client.ts';
import {
  essence,
  finalOf,
  finalsInFeedback,
  lastFrame,
  readClipWhole,
  sendClip,
  startReading,
} from '../kit/server/reader.ts';
import { openShippedModel, readClip } from '../kit/server/real.ts';
import { serve } from '../kit/server/serve.ts';

/** The real model on recorded speech; several servers share it. */
let shipped: Awaited<ReturnType<typeof openShippedModel>>;
beforeAll(async () => {
  shipped = await openShippedModel();
});
afterAll(() => shipped?.close());

const serveModel = () => serve({ engine: shipped.engine, scoring: shipped.scoring });

describe('a recorded clip through the whole server', () => {
  it('is scored phone by phone while it is heard, and what was final stays', async () => {
    const clip = readClip('leader');
    const client = await readClipWhole((await serveModel()).url, clip);
    const final = finalOf(client.events);
    expect(final.words.map((word) => word.text)).toEqual(clip.text.replaceAll(/[.,]/g, '').split(' '));
    const phones = final.words.flatMap((word) => word.phonemes);
    expect(phones.every((phone) => phone.status === 'final' && phone.accuracy !== null)).toBe(true);
    const live = finalsInFeedback(client.events);
    expect(live.length).toBeGreaterThan(phones.length / 2);
    expect(new Set(live.map((phone) => phone.index)).size).toBe(live.length);
    const byIndex = new Map(phones.map((phone) => [phone.index, essence(phone)]));
    for (const phone of live) expect(essence(phone)).toBe(byIndex.get(phone.index));
    expect(final.scores.accuracy).toBeGreaterThan(50);
    expect(client.of('transcript').at(-1)!.text.split(' ').length).toBeGreaterThanOrEqual(7);
    expect(client.of('speech').map((event) => event.state)).toContain('began');
    expect(final.audio_ms).toBe((lastFrame(clip) + 1) * 20);
  });

  it('finds one word where it is said in a longer recording, with the scores that a file gets', async () => {
    const clip = { ...readClip('leader'), text: 'begin' };
    const final = finalOf((await readClipWhole((await serveModel()).url, clip)).events);
    const inline = await createInlineEngine({ model: shipped.engine.model });
    const { result } = await scoreFile(inline, clip.path, resolveReference({ text: 'begin' }), { nbest: 0 });
    await inline.close();
    expect(final.heard).toBe('text');
    expect(final.words[0]).toMatchObject({ text: 'begin', error_type: 'none' });
    expect(final.words[0]!.phonemes.map(essence)).toEqual(result.words[0]!.phonemes.map(essence));
    expect(final.words[0]!.start_ms).toBeGreaterThan(900);
    expect(final.deviations.map(({ kind }) => kind)).toContain('other_words');
  });

  it('has no accuracy when nobody speaks, and says so', async () => {
    const silence = { ...readClip('leader'), samples: new Int16Array(32_000) };
    const final = finalOf((await readClipWhole((await serveModel()).url, silence)).events);
    expect(final).toMatchObject({ heard: 'nothing', scores: { accuracy: null, completeness: 0, pronunciation: null } });
    expect(final.words.map(({ accuracy }) => accuracy)).toEqual(final.words.map(() => null));
  });

  it.each([
    ['see word¹', '"¹" (U+00B9) at character 9'],
    ['<sub>a</sub>', 'the tag <sub> at character 1'],
    ['on 05/06/2024', '"05/06/2024" at character 4'],
  ])('is not begun for a text that cannot be read for certain: %s', async (text, place) => {
    const client = await connect((await serveModel()).url);
    client.send(startMessage({ reference: { text } }));
    expect((await client.closed).code).toBe(4422);
    expect(client.of('error')).toMatchObject([{ code: 'invalid_reference', message: expect.stringContaining(place) }]);
  });

  it('is told of readings that compete as one word each', async () => {
    const client = await connect((await serveModel()).url);
    client.send(startMessage({ reference: { text: 'in 2024' } }));
    const ready = await client.until('ready');
    expect(ready.reference.words.map(({ text }) => text)).toEqual(['in', 'two thousand', 'twenty', 'four']);
    client.cut();
  });

  it.each([10, 60, 100, 138])('cut after frame %i and resumed ends like the uncut one', async (cutAfter) => {
    const clip = readClip('leader');
    const { url } = await serveModel();
    const uncut = await readClipWhole(url, clip);
    const first = await startReading(url, clip);
    const ready = await first.until('ready');
    sendClip(first, clip, 0, cutAfter);
    await first.until('ack');
    first.cut();
    await first.closed;
    const second = await connect(url);
    const last_event_id = Math.max(...first.events.map((event) => event.event_id));
    const { session_id, resume_token } = ready;
    second.send({ type: 'resume', session_id, resume_token, last_event_id });
    const { next_seq } = await second.until('ready');
    sendClip(second, clip, next_seq, lastFrame(clip));
    second.send({ type: 'close' });
    await second.closed;
    const events = [...first.events, ...second.events];
    const essences = (of: typeof events) => finalOf(of).words.map((word) => word.phonemes.map(essence));
    expect(essences(events)).toEqual(essences(uncut.events));
    expect(finalsInFeedback(events).map(essence)).toEqual(finalsInFeedback(uncut.events).map(essence));
  });

  it('gets the scores that a file gets, whoever reads beside it, and final soon after each phone', async () => {
    const { url } = await serveModel();
    const ids = ['leader', 'service', 'monkeys', 'busy', 'desk', 'folder', 'mailbox', 'unlock', 'thanks', 'stereo-48k'];
    const live = await Promise.all(ids.map((id) => readClipWhole(url, readClip(id))));
    const inline = await createInlineEngine({ model: shipped.engine.model });
    const differences: number[] = [];
    for (const [at, id] of ids.entries()) {
      const { path, text } = readClip(id);
      const offline = (await scoreFile(inline, path, resolveReference({ text }), { nbest: 0 })).evidence.flat();
      const phones = finalOf(live[at]!.events).words.flatMap((word) => word.phonemes);
      expect(phones.map((phone) => phone.phoneme)).toEqual(offline.map(({ result }) => result.phoneme));
      differences.push(...phones.map(({ accuracy }, i) => Math.abs(accuracy! / 50 - offline[i]!.score!)));
    }
    await inline.close();
    expect(differences.length).toBeGreaterThan(300);
    expect(differences.filter((difference) => difference > 0.02).length).toBeLessThanOrEqual(differences.length / 100);
    const lags = live.map(({ events }) => finalOf(events).final_lag_ms.p95!);
    expect(lags.sort((a, b) => a - b)[Math.floor(lags.length / 2)]).toBeLessThanOrEqual(300);
  });

  it('at 8 kHz is scored too', async () => {
    const client = await readClipWhole((await serveModel()).url, readClip('rate-8k'));
    expect(finalOf(client.events).scores.completeness).toBeGreaterThan(80);
  });

  it('is the same among other clips as alone', async () => {
    const { url } = await serveModel();
    const ids = ['leader', 'service', 'monkeys', 'busy', 'desk', 'folder', 'mailbox', 'unlock'];
    const alone = await readClipWhole(url, readClip('leader'));
    const [among] = await Promise.all(ids.map((id) => readClipWhole(url, readClip(id))));
    expect(finalsInFeedback(among!.events).map(essence)).toEqual(finalsInFeedback(alone.events).map(essence));
  });
});
