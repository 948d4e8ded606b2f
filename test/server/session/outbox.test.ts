import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PhonemeResult } from '../../../src/protocol/result.ts';
import type { BackpressureLevel, ServerEvent, ServerMessage } from '../../../src/protocol/server-messages.ts';
import { writePhones } from '../../../src/protocol/written-phones.ts';
import { Outbox, type Sink } from '../../../src/server/session/outbox.ts';
import type { PartialResult } from '../../../src/server/session/pending.ts';
import { finalPhones } from '../../kit/server/client.ts';
import { phoneResult } from '../../kit/server/phone.ts';

const limit = 1000;

describe('the way out', () => {
  it('sends partial results at once while there is room', () => {
    const { outbox, heard } = create();
    outbox.sendPartial(feedback([phoneResult(0)]));
    expect(heard).toMatchObject([{ event_id: 1, type: 'phoneme_feedback', timing: { scoring: 1, emit: 5 } }]);
  });

  it('writes feedback as JSON.stringify would', () => {
    const { outbox, sink } = create({ clockMs: 40 });
    const texts: string[] = [];
    sink.write = (text) => texts.push(text);
    const phonemes = [phoneResult(0, 'final'), phoneResult(1)];
    outbox.sendPartial(feedback(phonemes));
    outbox.sendPartial(feedback([]));
    const event = { audio_ms: 0, type: 'phoneme_feedback', utterance_id: 1, rev: 1 };
    const timing = { scoring: 1, emit: 5 };
    expect(texts).toEqual([
      JSON.stringify({ event_id: 1, ...event, phonemes, timing }),
      JSON.stringify({ event_id: 2, ...event, phonemes: [], timing }),
    ]);
  });

  it('says so when a socket falls behind, and merges partial results: the newest of each phone wins', () => {
    const { outbox, heard, sink } = create();
    sink.unsent = limit + 1;
    outbox.sendPartial(feedback([phoneResult(0), phoneResult(1)]));
    outbox.sendPartial(feedback([phoneResult(1, 'final'), phoneResult(2)]));
    expect(heard).toMatchObject([{ type: 'backpressure', level: 'degraded', buffered_bytes: limit + 1 }]);
    sink.unsent = limit / 2;
    outbox.drained();
    expect(heard.slice(1)).toMatchObject([
      { type: 'backpressure', level: 'none', dropped: { feedback: 1, transcript: 0 } },
      { type: 'phoneme_feedback', phonemes: [phoneResult(0), phoneResult(1, 'final'), phoneResult(2)] },
    ]);
  });

  it('stays congested until half of the limit is free', () => {
    const { outbox, heard, sink } = create();
    sink.unsent = limit + 1;
    outbox.sendPartial(feedback([phoneResult(0)]));
    sink.unsent = limit / 2 + 1;
    outbox.drained();
    expect(heard).toHaveLength(1);
  });

  it('skips acks while congested and never a final', () => {
    const { outbox, heard, sink } = create();
    sink.unsent = limit + 1;
    outbox.sendPartial(feedback([phoneResult(0)]));
    outbox.sendPassing(ack);
    outbox.send(final);
    expect(heard.map((event) => event.type)).toEqual(['backpressure', 'phoneme_feedback', 'utterance_final']);
  });

  it('knows how long a reader has been behind', () => {
    const { outbox, sink, clock } = create();
    sink.unsent = limit + 1;
    outbox.sendPartial(feedback([phoneResult(0)]));
    clock.nowMs += 700;
    expect(outbox.congestedForMs(clock.nowMs)).toBe(700);
    outbox.detach();
    expect(outbox.congestedForMs(clock.nowMs)).toBe(0);
  });

  it('tells of each event, and of each partial result how long the server had its sound', () => {
    const { outbox, told } = create();
    outbox.sendPartial(feedback([phoneResult(0)]));
    outbox.sendPassing(ack);
    expect(told).toEqual(['phoneme_feedback after 10 ms', 'event 1 phoneme_feedback', 'event 2 ack']);
    expect(outbox.lastEventId).toBe(2);
  });

  it('stamps events with its clock, or with the place that it is told, in whole microseconds', () => {
    const { outbox, heard } = create({ clockMs: 20.00049 });
    outbox.send(speech);
    outbox.send(speech, 1.23456);
    expect(heard.map((event) => event.audio_ms)).toEqual([20, 1.235]);
  });

  it('sends what waits before a transcript or a final, and not before anything else', () => {
    for (const [message, before] of [
      [transcript, ['phoneme_feedback']],
      [final, ['phoneme_feedback']],
      [speech, []],
    ] as const) {
      const { outbox, heard, sink } = create();
      sink.unsent = limit + 1;
      outbox.sendPartial(feedback([phoneResult(0)]));
      outbox.send(message);
      expect(heard.map((event) => event.type)).toEqual(['backpressure', ...before, message.type]);
    }
  });

  it('is congested above its limit, not at it', () => {
    const { outbox, heard, sink } = create();
    sink.unsent = limit;
    outbox.sendPartial(feedback([phoneResult(0)]));
    expect(heard.map((event) => event.type)).toEqual(['phoneme_feedback']);
  });

  it('knows whether a socket is there', () => {
    const { outbox, sink } = create();
    expect(outbox.isAttached).toBe(true);
    outbox.detach();
    expect(outbox.isAttached).toBe(false);
    outbox.send(speech);
    outbox.attach(sink);
    expect(outbox.isAttached).toBe(true);
  });

  it('replays feedback with phones, transcripts, speech and finals, and nothing else', () => {
    const { outbox, heard } = create();
    const info = { type: 'info', code: 'kept_alive', message: '' } as const;
    outbox.sendPartial(feedback([]));
    outbox.sendPartial(feedback([phoneResult(0)]));
    for (const message of [transcript, speech, info, ack, final]) outbox.send(message);
    heard.length = 0;
    outbox.replay(ready, 0);
    expect(heard.map((event) => event.type)).toEqual([
      'ready',
      'phoneme_feedback',
      'transcript',
      'speech',
      'utterance_final',
    ]);
  });

  it('replays under the id that the client named, then with the ids that were', () => {
    const { outbox, heard } = create();
    outbox.sendPartial(feedback([phoneResult(0, 'final')]));
    outbox.sendPassing(ack);
    outbox.send(final);
    heard.length = 0;
    outbox.replay(ready, 1);
    expect(heard.map((event) => [event.type, event.event_id])).toEqual([
      ['ready', 1],
      ['utterance_final', 3],
    ]);
  });

  it('keeps what it is told while nobody listens', () => {
    const { outbox, heard, sink } = create();
    outbox.detach();
    outbox.sendPartial(feedback([phoneResult(0)]));
    outbox.sendPartial(feedback([phoneResult(0, 'final')]));
    outbox.attach(sink);
    outbox.replay(ready, 0);
    expect(finalPhones(heard)).toHaveLength(1);
    expect(heard.map((event) => event.type)).toEqual(['ready', 'phoneme_feedback']);
  });

  it('forgets confirmed events after the resume window, and says so', () => {
    const { outbox, heard, clock } = create();
    for (let index = 0; index < 100; index++) outbox.sendPartial(feedback([phoneResult(index, 'final')]));
    outbox.confirm(100);
    clock.nowMs += 31_000;
    for (let index = 100; index < 200; index++) outbox.sendPartial(feedback([phoneResult(index, 'final')]));
    heard.length = 0;
    outbox.replay(ready, 0);
    expect(heard.at(-1)).toMatchObject({
      type: 'info',
      code: 'replay_truncated',
      message: 'events after 0 were confirmed by an earlier socket, or were too many, and are no longer kept in full',
    });
    heard.length = 0;
    outbox.replay(ready, 100);
    expect(finalPhones(heard)).toHaveLength(100);
    expect(heard.at(-1)!.type).toBe('phoneme_feedback');
  });

  it('sends results half as often while the server is late, and loses no final phone', () => {
    const { outbox, heard, clock, server } = create();
    Object.assign(server, { step: 'half_rate', apartMs: 150 });
    for (let index = 0; index < 10; index++) {
      outbox.sendPartial(feedback([phoneResult(index, 'final')]));
      clock.nowMs += 100;
    }
    outbox.send(final);
    expect(heard.map((event) => event.type)).toEqual([...Array(6).fill('phoneme_feedback'), 'utterance_final']);
    expect(finalPhones(heard)).toHaveLength(10);
  });

  it('does not keep what it held back for longer than that', () => {
    const { outbox, heard, clock, server } = create();
    Object.assign(server, { step: 'half_rate', apartMs: 150 });
    outbox.sendPartial(feedback([phoneResult(0, 'final')]));
    clock.nowMs += 100;
    outbox.sendPartial(feedback([phoneResult(1, 'final')]));
    outbox.drained();
    expect(heard).toHaveLength(1);
    clock.nowMs += 50;
    outbox.drained();
    expect(heard).toHaveLength(2);
  });

  it('announces a step of the server, and after congestion the one that holds then', () => {
    const { outbox, heard, sink, server } = create();
    server.step = 'half_rate';
    outbox.announce();
    sink.unsent = limit + 1;
    outbox.drained();
    server.step = 'words_only';
    outbox.announce();
    sink.unsent = 0;
    outbox.drained();
    server.step = 'none';
    outbox.announce();
    const levels = heard.map((event) => event.type === 'backpressure' && event.level);
    expect(levels).toEqual(['half_rate', 'degraded', 'words_only', 'none']);
  });

  it('keeps about one record a phone however often it was revised', () => {
    const { outbox, heard } = create();
    for (let round = 0; round < 1000; round++) outbox.sendPartial(feedback([phoneResult(round % 10)]));
    heard.length = 0;
    outbox.replay(ready, 0);
    expect(heard.length).toBeLessThan(140);
  });

  it('however sockets stall, drop and come back, says each final phone once and loses none', () => {
    const step = fc.oneof(
      fc.constant('phone' as const),
      fc.constant('stall' as const),
      fc.constant('flow' as const),
      fc.constant('drop' as const),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 400 }), (steps) => {
        const { outbox, heard, sink } = create();
        let index = 0;
        for (const what of steps) {
          if (what === 'phone') {
            outbox.sendPartial(feedback([phoneResult(index), phoneResult(Math.max(0, index - 3))]));
            outbox.sendPartial(feedback([phoneResult(index++, 'final')]));
          } else if (what === 'stall') sink.unsent = limit + 1;
          else if (what === 'flow') {
            sink.unsent = 0;
            outbox.drained();
          } else resume(outbox, heard, sink);
        }
        outbox.send(final);
        const said = finalPhones(heard);
        expect(said).toHaveLength(index);
        expect(new Set(said).size).toBe(index);
      }),
    );
  });
});

const ack = { type: 'ack', epoch: 0, next_seq: 1, missing: [], buffered_ms: 0 } as const;
const ready = { type: 'ready' } as unknown as ServerMessage;
const speech = { type: 'speech', state: 'began', at_ms: 0 } as const;
const transcript = { type: 'transcript', utterance_id: 1 } as unknown as ServerMessage;
const final = { type: 'utterance_final', utterance_id: 1 } as unknown as ServerMessage;

type FakeSink = Sink & { unsent: number };

function create({ clockMs = 0 } = {}) {
  const heard: ServerEvent[] = [];
  const told: string[] = [];
  const clock = { nowMs: 1000 };
  const server: { step: BackpressureLevel; apartMs: number } = { step: 'none', apartMs: 0 };
  const sink: FakeSink = {
    unsent: 0,
    write: (text) => heard.push(JSON.parse(text)),
    unsentBytes: () => sink.unsent,
  };
  const outbox = new Outbox({
    maxReplayBytes: 1e6,
    keepMs: 30_000,
    congestedBytes: limit,
    level: () => server.step,
    apartMs: () => server.apartMs,
    now: () => clock.nowMs,
    clock: { ms: clockMs },
    onEvent: (type, id) => void told.push(`event ${id} ${type}`),
    onPartial: (type, _timing, totalMs) => void told.push(`${type} after ${totalMs} ms`),
  });
  outbox.attach(sink);
  return { outbox, heard, told, sink, clock, server };
}

/** The socket is gone for a while with all that it was sent; another asks for what it does not know. */
function resume(outbox: Outbox, heard: ServerEvent[], sink: FakeSink): void {
  outbox.detach();
  // The last few events were on their way and never arrived.
  heard.splice(Math.max(0, heard.length - 3));
  sink.unsent = 0;
  outbox.attach(sink);
  outbox.replay(ready, Math.max(0, ...heard.map((event) => event.event_id)));
}

function feedback(phonemes: PhonemeResult[]): PartialResult {
  const phones = writePhones(phonemes);
  const message = { type: 'phoneme_feedback', utterance_id: 1, rev: 1, phones, timing: { scoring: 1 } } as const;
  return { message, audioMs: 0, producedMs: 995, arrivedMs: 990 };
}
