import { describe, expect, it } from 'vitest';
import type { AudioFrame, Codec } from '../../../src/protocol/frame.ts';
import { defaultLimits } from '../../../src/server/limits.ts';
import { AudioClock } from '../../../src/server/session/audio-clock.ts';
import { Intake } from '../../../src/server/session/intake.ts';

/** Frames of 20 ms at 16 kHz. */
const samples = 320;

describe('the intake', () => {
  it('passes sound on with its place on the clock and its arrival', () => {
    const { intake, heard, clock } = create();
    expect([0, 1].map((seq) => intake.add(frame(seq), 100 + seq))).toEqual(['accepted', 'accepted']);
    expect(heard).toEqual(['320 samples to 20 ms, came at 100', '320 samples to 40 ms, came at 101']);
    expect(clock.ms).toBe(40);
    expect(intake.checkpoint()).toEqual({ epoch: 0, nextSeq: 2, missing: [] });
  });

  it('gives each frame once, and says what came again', () => {
    const { intake, heard } = create();
    expect([0, 0, 1, 0].map((seq) => intake.add(frame(seq), 0))).toEqual([
      'accepted',
      'duplicate',
      'accepted',
      'duplicate',
    ]);
    expect(heard).toHaveLength(2);
  });

  it.each<[Codec, number, number[]]>([
    ['pcm_s16le', 2, [0.5, -1]],
    ['pcm_f32le', 4, [0.5, -1]],
  ])('reads %s', (codec, bytes, values) => {
    const { intake, sounds } = create({ codec });
    const payload = Buffer.alloc(values.length * bytes);
    values.forEach((value, i) => {
      if (codec === 'pcm_f32le') payload.writeFloatLE(value, i * bytes);
      else payload.writeInt16LE(value * 32_768, i * bytes);
    });
    intake.add(frame(0, { codec, payload }), 0);
    expect(sounds).toEqual([values]);
  });

  it('brings sound to the rate of the model, on the clock of the client', () => {
    const { intake, heard, sounds } = create({ sampleRateHz: 8000 });
    intake.add(frame(0), 0);
    expect(heard).toEqual([expect.stringMatching(/ to 40 ms/)]);
    expect(sounds[0]!.length).toBeGreaterThan(500);
  });

  it('takes frames of several lengths', () => {
    const { intake, sounds } = create();
    const of = (bytes: number[]) => new Uint8Array(bytes.flatMap((byte) => [0, byte]));
    intake.add(frame(0, { payload: of([1, 2]) }), 0);
    intake.add(frame(1, { payload: of([3]), firstSample: 2 }), 0);
    intake.add(frame(2, { payload: of([4, 5]), firstSample: 3 }), 0);
    expect(sounds.map((pcm) => pcm.map((value) => value * 128))).toEqual([[1, 2], [3], [4, 5]]);
  });

  it('refuses another codec than that of the start', () => {
    const { intake, heard } = create();
    expect(intake.add(frame(0, { codec: 'pcm_f32le' }), 0)).toEqual({
      code: 'unsupported_audio',
      message: 'the frame holds pcm_f32le; the session was started with pcm_s16le',
    });
    expect(heard).toEqual([]);
  });

  it('refuses a frame beyond its window, which holds its longest buffer in frames of 5 ms', () => {
    const windowFrames = defaultLimits.maxBufferedMs / 5;
    expect(create().intake.add(frame(windowFrames - 1), 0)).toBe('early');
    expect(create().intake.add(frame(windowFrames), 0)).toEqual({
      code: 'invalid_frame',
      message: `seq ${windowFrames} is too far ahead of 0, the next one expected`,
    });
  });

  it('refuses a clock that goes back', () => {
    const { intake } = create();
    intake.add(frame(0), 0);
    expect(intake.add(frame(1, { firstSample: 319 }), 0)).toEqual({
      code: 'invalid_frame',
      message: 'first_sample 319 of seq 1 lies before 320, where the frame ahead of it ended',
    });
  });

  it('waits for a missing frame, then lets the gap through', () => {
    const { intake, heard, clock } = create();
    intake.add(frame(0), 0);
    expect(intake.add(frame(2), 10)).toBe('early');
    expect(intake.release(129)).toBeUndefined();
    expect(heard).toHaveLength(1);
    intake.release(130);
    expect(heard.slice(1)).toEqual(['gap of 20 ms, 1 frames', '320 samples to 60 ms, came at 10']);
    expect(clock.ms).toBe(60);
  });

  it('with another frame lets a gap through whose wait is over', () => {
    const { intake, heard } = create();
    intake.add(frame(1), 0);
    expect(intake.add(frame(3), 500)).toBe('early');
    expect(heard).toEqual(['gap of 20 ms, 1 frames', '320 samples to 40 ms, came at 0']);
  });

  it('starts its waits anew when the socket was away', () => {
    const { intake, heard } = create();
    intake.add(frame(1), 0);
    intake.restartWaits(1000);
    intake.release(1100);
    expect(heard).toEqual([]);
  });

  it('passes on everything when nothing more comes', () => {
    const { intake, heard } = create();
    for (const seq of [1, 3]) intake.add(frame(seq), 0);
    expect(intake.flush(0)).toBeUndefined();
    expect(heard).toEqual([
      'gap of 20 ms, 1 frames',
      '320 samples to 40 ms, came at 0',
      'gap of 20 ms, 1 frames',
      '320 samples to 80 ms, came at 0',
    ]);
  });

  it('goes on from where its clock stood when the client begins a new epoch', () => {
    const { intake, heard, clock } = create();
    for (const seq of [0, 1]) intake.add(frame(seq), 0);
    intake.add(frame(0, { epoch: 1 }), 0);
    intake.add(frame(1, { epoch: 1 }), 0);
    expect(heard.slice(2)).toEqual(['320 samples to 60 ms, came at 0', '320 samples to 80 ms, came at 0']);
    expect(clock.ms).toBe(80);
  });

  it('does not keep the memory that a frame came in', () => {
    const { intake, sounds } = create();
    const payload = new Uint8Array([0, 64]);
    intake.add(frame(1, { payload, firstSample: 320 }), 0);
    payload.fill(0);
    intake.add(frame(0), 0);
    expect(sounds[1]).toEqual([0.5]);
  });

  it('lets sound run ahead of the wall clock by its longest buffer, counted from the first frame', () => {
    const { intake, clock } = create();
    const firstSample = 16_000 * 15 - samples;
    intake.add(frame(0), 7000);
    expect(intake.add(frame(1, { firstSample }), 7000)).toBe('accepted');
    expect(intake.add(frame(2, { firstSample: firstSample + samples }), 7020)).toBe('accepted');
    expect(clock.ms).toBe(15_020);
  });

  it.each([
    ['sound', 16_000 * 15 - samples + 16, 'the audio runs 15001 ms ahead of real time; max_buffered_ms is 15000', 1],
    ['a gap', 16_000 * 15 + 160, 'the audio runs 15010 ms ahead of real time; max_buffered_ms is 15000', 10],
  ])('refuses %s that runs ahead further, and does not pass it on', (_, firstSample, message, retryAfterMs) => {
    const { intake, heard } = create();
    intake.add(frame(0), 0);
    expect(intake.add(frame(1, { firstSample }), 0)).toEqual({
      code: 'too_fast',
      message,
      retryAfterMs,
      limit: 'maxBufferedMs',
    });
    expect(heard.filter((said) => said.includes('came'))).toHaveLength(1);
  });

  it('refuses a gap longer than the model could catch up with, and makes no silence of it', () => {
    const { intake, heard } = create();
    intake.add(frame(0), 0);
    const refusal = intake.add(frame(1, { firstSample: 16_000 * 3000 }), 3_000_000);
    expect(refusal).toMatchObject({
      code: 'too_fast',
      message: expect.stringContaining('a gap of 2999980 ms; at most 45000'),
    });
    expect(heard).toHaveLength(1);
  });

  it('holds only so many bytes behind a frame that is missing', () => {
    const { intake } = create();
    const payload = new Uint8Array(65_536);
    const add = (seq: number) => intake.add(frame(seq, { payload, firstSample: seq * 32_768 }), 0);
    expect(Array.from({ length: 64 }, (_, i) => add(i + 1))).toEqual(Array.from({ length: 64 }, () => 'early'));
    expect(add(65)).toMatchObject({
      code: 'too_fast',
      limit: 'maxHeldBytes',
      message: expect.stringContaining('wait for seq 0'),
    });
  });

  it('counts what it holds anew when the missing frame came', () => {
    const { intake } = create();
    const payload = new Uint8Array(65_536);
    const add = (seq: number, epoch = 0) => intake.add(frame(seq, { epoch, payload, firstSample: 0 }), 0);
    for (let epoch = 0; epoch < 3; epoch++) {
      for (let seq = 1; seq <= 40; seq++) expect(add(seq, epoch)).not.toMatchObject({ limit: 'maxHeldBytes' });
    }
  });

  it('when told to flush refuses what runs ahead', () => {
    const { intake } = create();
    intake.add(frame(1, { firstSample: 16_000 * 20 }), 0);
    expect(intake.flush(0)).toMatchObject({ code: 'too_fast' });
  });

  it.each([
    [0, 'too_fast'],
    [500, 'too_fast'],
    [2000, 'accepted'],
  ])('by a server that read %d ms late, sound of 17 s at once is %s', (latenessMs, expected) => {
    const { intake } = create({ latenessMs: () => latenessMs });
    intake.add(frame(0), 0);
    const outcome = intake.add(frame(1, { firstSample: 16_000 * 17 - samples }), 0);
    expect(typeof outcome === 'string' ? outcome : outcome.code).toBe(expected);
  });
});

function create(changes: Partial<{ codec: Codec; sampleRateHz: number; latenessMs(): number }> = {}) {
  const clock = new AudioClock();
  const heard: string[] = [];
  const sounds: number[][] = [];
  const intake = new Intake({
    codec: 'pcm_s16le',
    sampleRateHz: 16_000,
    modelRateHz: 16_000,
    limits: defaultLimits,
    latenessMs: () => 0,
    clock,
    onSound({ pcm, endMs, arrivedMs }) {
      const scale = pcm instanceof Int16Array ? 1 / 32_768 : 1;
      sounds.push(Array.from(pcm, (sample) => sample * scale));
      heard.push(`${pcm.length} samples to ${endMs} ms, came at ${arrivedMs}`);
    },
    onGap: (ms, frames) => void heard.push(`gap of ${ms} ms, ${frames} frames`),
    ...changes,
  });
  return { intake, clock, heard, sounds };
}

function frame(seq: number, changes: Partial<AudioFrame> = {}): AudioFrame {
  const payload = new Uint8Array(2 * samples);
  return { codec: 'pcm_s16le', flags: 0, epoch: 0, seq, firstSample: seq * samples, payload, ...changes };
}
