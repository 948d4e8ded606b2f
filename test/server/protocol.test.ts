import { describe, expect, it } from 'vitest';
import { connect, finalPhones, startMessage } from '../kit/server/client.ts';
import { serve } from '../kit/server/serve.ts';

describe('a session from start to close', () => {
  it('is ready with its limits, its model and the reference as it was read', async () => {
    const client = await connect((await serve()).url);
    client.send(startMessage());
    const ready = await client.until('ready');
    expect(ready).toMatchObject({ event_id: 1, audio_ms: 0, next_seq: 0, epoch: 0, utterance_id: 1, resumed: false });
    expect(ready.session_id).toHaveLength(16);
    expect(ready.resume_token).toHaveLength(43);
    expect(ready.reference.words).toEqual([
      { text: 'ab', phones: ['A', 'B'], source: 'letter_to_sound' },
      { text: 'ba', phones: ['B', 'A'], source: 'letter_to_sound' },
    ]);
  });

  it('tells phones as they are heard, words as they are confirmed and everything at the end', async () => {
    const client = await connect((await serve()).url);
    client.send(startMessage());
    client.frames(0, 39);
    client.send({ type: 'finalize', marker: 'that is all' });
    const final = await client.until('utterance_final');
    expect(final).toMatchObject({ utterance_id: 1, reason: 'finalize', marker: 'that is all', audio_ms: 800 });
    expect(finalPhones(client.events)).toEqual(['1.0 A 90', '1.1 B 90', '1.2 B 90', '1.3 A 90']);
    expect(client.of('transcript').at(-1)).toMatchObject({ text: 'ab ba', is_final: true, stability: 1 });
    expect(client.of('transcript')[0]).toMatchObject({ text: 'ab', is_final: false, stability: 0, rev: 1 });
    expect(client.events.map((event) => event.event_id)).toEqual(client.events.map((_, index) => index + 1));
  });

  it('states every stage that the server measures in each partial result', async () => {
    const client = await connect((await serve()).url);
    client.send(startMessage());
    client.frames(0, 9);
    const { timing, audio_ms } = await client.until('phoneme_feedback');
    expect(audio_ms).toBe(100);
    expect(Object.keys(timing).sort()).toEqual(['asr', 'emit', 'features', 'ingress', 'queue', 'scoring', 'window']);
  });

  it('acknowledges at once when asked to finalize', async () => {
    const client = await connect((await serve()).url);
    client.send(startMessage());
    client.frames(0, 4);
    client.send({ type: 'finalize' });
    const ack = await client.until('ack', (event) => event.next_seq === 5);
    expect(ack).toMatchObject({ epoch: 0, missing: [] });
  });

  it('puts a second utterance on the same clock', async () => {
    const client = await connect((await serve()).url);
    client.send(startMessage());
    client.frames(0, 24);
    client.send({ type: 'next_utterance', reference: { text: 'cc' } });
    client.frames(25, 49);
    client.send({ type: 'close', last_seq: 49 });
    expect(await client.closed).toEqual({ code: 1000, reason: 'done' });
    const [first, second] = client.of('utterance_final');
    expect(first).toMatchObject({ utterance_id: 1, reason: 'next_utterance', audio_ms: 500 });
    expect(second).toMatchObject({ utterance_id: 2, reason: 'close', audio_ms: 1000 });
    expect(second!.words[0]!.phonemes.map((phone) => phone.start_ms)).toEqual([500, 600]);
  });

  it('acknowledges sound after finalize and does not score it', async () => {
    const client = await connect((await serve()).url);
    client.send(startMessage());
    client.frames(0, 9);
    client.send({ type: 'finalize' });
    await client.until('utterance_final');
    client.frames(10, 29);
    client.send({ type: 'close', last_seq: 29 });
    await client.closed;
    expect(client.of('ack').at(-1)).toMatchObject({ next_seq: 30 });
    expect(client.of('utterance_final')).toHaveLength(1);
    expect(client.of('phoneme_feedback').at(-1)!.audio_ms).toBeLessThanOrEqual(200);
  });

  it.each([
    ['word', ['ready', 'transcript', 'utterance_final']],
    ['utterance', ['ready', 'utterance_final']],
  ] as const)('says no more than granularity "%s" asks for', async (granularity, types) => {
    const client = await connect((await serve()).url);
    client.send(startMessage({ granularity }));
    client.frames(0, 39);
    client.send({ type: 'close' });
    await client.closed;
    const told = new Set(client.events.map((event) => event.type).filter((type) => type !== 'ack'));
    expect([...told]).toEqual(types);
  });

  it('answers config and keep_alive', async () => {
    const client = await connect((await serve()).url);
    client.send(startMessage());
    client.send({ type: 'config', emit_interval_ms: 200 });
    client.send({ type: 'keep_alive' });
    await client.until('info', (event) => event.code === 'kept_alive');
    expect(client.of('info').map((event) => event.code)).toEqual(['config_applied', 'kept_alive']);
  });

  it('takes audio as float32 and at other rates', async () => {
    const client = await connect((await serve()).url);
    const audio = { encoding: 'pcm_f32le', sample_rate: 48_000, channels: 1 } as const;
    client.send(startMessage({ audio }));
    for (let seq = 0; seq < 20; seq++) {
      client.frame(seq, { codec: 'pcm_f32le', firstSample: seq * 960, payload: new Uint8Array(960 * 4) });
    }
    client.send({ type: 'finalize' });
    expect(await client.until('utterance_final')).toMatchObject({ audio_ms: 400 });
  });
});

describe('frames out of order', () => {
  it('are put in order, and what is missing is named', async () => {
    const client = await connect((await serve()).url);
    client.send(startMessage());
    client.frames(0, 4);
    client.frames(7, 9);
    const holed = await client.until('ack', (event) => event.missing.length > 0);
    expect(holed).toMatchObject({ next_seq: 5, missing: [[5, 6]] });
    client.frames(5, 6);
    client.send({ type: 'finalize' });
    await client.until('utterance_final');
    expect(client.of('info')).toEqual([]);
    expect(finalPhones(client.events)).toEqual([]);
  });

  it('are a gap when they never come: its phones are unscored, not omitted', async () => {
    const client = await connect((await serve()).url);
    client.send(startMessage());
    client.frames(0, 4);
    client.frames(10, 39);
    client.send({ type: 'finalize' });
    const final = await client.until('utterance_final');
    expect(client.of('info')).toMatchObject([{ code: 'audio_gap' }]);
    const types = final.words.flatMap((word) => word.phonemes.map((phone) => phone.error_type));
    expect(types).toEqual(['none', 'unscored', 'none', 'none']);
  });

  it('are a gap at the end, too, when the goodbye says that there were more', async () => {
    const client = await connect((await serve()).url);
    client.send(startMessage());
    client.frames(0, 9);
    client.send({ type: 'close', last_seq: 12 });
    expect(await client.closed).toMatchObject({ code: 1000 });
    expect(client.of('info')).toMatchObject([{ code: 'audio_gap', frames: 3 }]);
    expect(client.of('ack').at(-1)).toMatchObject({ next_seq: 13 });
  });

  it('are not believed in without end: the final, and then an error', async () => {
    const client = await connect((await serve()).url);
    client.send(startMessage());
    client.frames(0, 9);
    client.send({ type: 'close', last_seq: 0xffffffff });
    await client.closed;
    expect(client.of('utterance_final')).toHaveLength(1);
    const message = 'last_seq 4294967295 is too far ahead of 10, the next seq expected';
    expect(client.of('error')).toMatchObject([{ code: 'invalid_message', message }]);
    expect(client.of('info')).toEqual([]);
  });

  it('are acknowledged again and change nothing when they are replays', async () => {
    const client = await connect((await serve()).url);
    client.send(startMessage());
    client.frames(0, 9);
    client.frames(0, 9);
    client.send({ type: 'finalize' });
    expect(await client.until('utterance_final')).toMatchObject({ audio_ms: 200 });
    expect(client.of('ack').at(-1)).toMatchObject({ next_seq: 10 });
  });

  it('begin anew with a new epoch, on the same clock', async () => {
    const client = await connect((await serve()).url);
    client.send(startMessage());
    client.frames(0, 9);
    for (let seq = 0; seq < 10; seq++) client.frame(seq, { epoch: 1 });
    client.send({ type: 'finalize' });
    expect(await client.until('utterance_final')).toMatchObject({ audio_ms: 400 });
    expect(client.of('ack').at(-1)).toMatchObject({ epoch: 1, next_seq: 10 });
  });
});
