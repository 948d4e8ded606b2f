import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { facadeAt, facadePaths } from '../../../src/server/facade/facades.ts';
import type { Meant, Wire } from '../../../src/server/facade/wire.ts';

const query = new URLSearchParams({ encoding: 'linear16', sample_rate: '16000', reference: 'ab ba' });

/** A wire whose client may say anything, and what it was taken for. */
function openWire(path: string): { wire: Wire; written: string[]; meant: Meant[] } {
  const wire = facadeAt(path)!.open(query);
  if ('status' in wire) throw new Error(wire.message);
  const written: string[] = [];
  const meant: Meant[] = [];
  const socket = { write: (text: string) => void written.push(text), unsentBytes: () => 0, close: () => {} };
  wire.attach(socket, (more) => meant.push(...more));
  meant.push(...wire.open());
  return { wire, written, meant };
}

const known = [
  'KeepAlive',
  'Finalize',
  'CloseStream',
  'Configure',
  'session.update',
  'input_audio_buffer.append',
  'input_audio_buffer.commit',
  'input_audio_buffer.clear',
];
const session = fc.record({
  type: fc.constantFrom('transcription', 'realtime', null),
  audio: fc.option(
    fc.record({
      input: fc.option(
        fc.record({
          format: fc.option(fc.record({ type: fc.constantFrom('audio/pcm', 'audio/pcmu'), rate: fc.integer() })),
          transcription: fc.option(fc.record({ prompt: fc.option(fc.string()), language: fc.option(fc.string()) })),
          turn_detection: fc.option(fc.record({ type: fc.string(), silence_duration_ms: fc.anything() })),
        }),
      ),
    }),
  ),
});
const event = fc.record(
  {
    type: fc.oneof(fc.constantFrom(...known), fc.anything()),
    audio: fc.oneof(fc.base64String(), fc.anything()),
    reference: fc.anything(),
    session: fc.oneof(session, fc.anything()),
    event_id: fc.anything(),
  },
  { requiredKeys: [] },
);
/** A message of a client: JSON that is nearly right, any JSON, any text, bytes. */
const said = fc.oneof(
  event.map((value) => ({ data: Buffer.from(JSON.stringify(value) ?? ''), isBinary: false })),
  fc.json().map((text) => ({ data: Buffer.from(text), isBinary: false })),
  fc.string({ unit: 'binary' }).map((text) => ({ data: Buffer.from(text), isBinary: false })),
  fc.uint8Array({ maxLength: 200 }).map((bytes) => ({ data: Buffer.from(bytes), isBinary: true })),
);

describe.each(facadePaths)('a client of %s', (path) => {
  it('may say anything: it is a message of ours, sound without a gap, or an answer in JSON', () => {
    fc.assert(
      fc.property(fc.array(said, { maxLength: 40 }), (messages) => {
        const { wire, written, meant } = openWire(path);
        for (const { data, isBinary } of messages) {
          wire.isSound(data, isBinary);
          meant.push(...wire.hear(data, isBinary));
        }
        let sample = 0;
        let seq = 0;
        let hasStarted = false;
        for (const one of meant) {
          if ('message' in one) {
            expect(one.message.type === 'start').toBe(!hasStarted);
            hasStarted = true;
          } else if ('frame' in one) {
            expect(one.frame).toMatchObject({ seq, firstSample: sample, epoch: 0, codec: 'pcm_s16le' });
            seq += 1;
            sample += one.frame.payload.length / 2;
          } else expect(one.refusal.message.length).toBeLessThan(300);
        }
        for (const text of written) expect(JSON.parse(text)).toHaveProperty('type');
      }),
      { numRuns: 300 },
    );
  });
});

it('puts sound together that is cut within samples', () => {
  const { wire } = openWire('/v1/listen');
  const frames = [3, 1, 5, 7]
    .flatMap((length) => wire.hear(Buffer.alloc(length), true))
    .flatMap((one) => ('frame' in one ? [one.frame] : []));
  expect(frames.map(({ firstSample, payload }) => [firstSample, payload.length])).toEqual([
    [0, 2],
    [1, 2],
    [2, 4],
    [4, 8],
  ]);
});
