import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { SoundFrames } from '../../src/client/frames.ts';
import { ClientOutbox } from '../../src/client/outbox.ts';
import { SessionMeter } from '../../src/load/meter/session-meter.ts';
import { histogramsReady } from '../../src/metrics/histogram.ts';
import { Recorder } from '../../src/metrics/recorder.ts';
import { TraceSink } from '../../src/metrics/traces.ts';
import type { AudioFrame, ChecksummedFrame } from '../../src/protocol/frame.ts';
import type { ServerMessage } from '../../src/protocol/server-messages.ts';
import { defaultLimits } from '../../src/server/limits.ts';
import { AudioClock } from '../../src/server/session/audio-clock.ts';
import { Intake } from '../../src/server/session/intake.ts';
import type { SoundPlace } from '../../src/stores/checkpoint.ts';

beforeAll(histogramsReady);

describe('the books of a session whose frames may be lost, late, twice there, and whose socket is cut', () => {
  const step = fc.oneof(
    { weight: 6, arbitrary: fc.record({ say: fc.constantFrom('comes', 'lost', 'late', 'twice'), times: fc.nat(4) }) },
    { weight: 1, arbitrary: fc.record({ appLoses: fc.integer({ min: 1, max: 3 }) }) },
    { weight: 3, arbitrary: fc.record({ arrive: fc.nat(5) }) },
    { weight: 2, arbitrary: fc.record({ passMs: fc.constantFrom(20, 130, 600) }) },
    { weight: 3, arbitrary: fc.record({ read: fc.nat(5) }) },
    { weight: 3, arbitrary: fc.constant('ack' as const) },
    { weight: 1, arbitrary: fc.constantFrom('begin' as const, 'cut' as const, 'takeover' as const) },
  );
  const end = fc.constantFrom('closes', 'closes in the midst', 'dies');

  it('say of each frame once that it was heard, lost by the network, or acknowledged by nobody', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), end, (steps, how) => {
        const session = new Session();
        for (const one of steps) session.step(one);
        const { tally, truth } = session.end(how);
        expect(tally).toEqual(truth);
        expect(tally.heard + tally.lost_by_network + tally.lost_frames).toBe(tally.frames_sent);
        if (how !== 'dies') expect(tally.lost_frames).toBe(0);
      }),
      { numRuns: 400 },
    );
  });

  it('do not blame the network for the last frame twice', () => {
    const session = new Session();
    session.step({ say: 'comes', times: 3 });
    session.step({ say: 'lost', times: 1 });
    expect(session.end('closes').tally).toEqual({ frames_sent: 4, heard: 3, lost_by_network: 1, lost_frames: 0 });
  });

  it('do not count a frame that the app lost for the network when another gateway misses it, too', () => {
    const session = new Session();
    session.step({ appLoses: 1 });
    session.step({ say: 'comes', times: 2 });
    for (const one of [{ passMs: 600 }, 'ack', { read: 5 }, 'takeover', { passMs: 600 }] as const) session.step(one);
    expect(session.end('closes').tally).toEqual({ frames_sent: 2, heard: 2, lost_by_network: 0, lost_frames: 0 });
  });
});

type Step =
  | { say: 'comes' | 'lost' | 'late' | 'twice'; times: number }
  | { appLoses: number }
  | { arrive: number }
  | { passMs: number }
  | { read: number }
  | 'ack'
  | 'begin'
  | 'cut'
  | 'takeover';

/** A client's outbox and a meter at one end of a bad path, the intake of a gateway at the other. */
class Session {
  readonly #outbox = new ClientOutbox('pcm_s16le');
  readonly #recorder = new Recorder();
  readonly #meter: SessionMeter;
  readonly #sent = new Set<number>();
  readonly #heard = new Set<number>();
  /** Frames on their way, the newest first: they overtake one another. */
  #up: ChecksummedFrame[] = [];
  /** What the server said and the client has not read. */
  #down: ServerMessage[] = [];
  #intake: Intake;
  /** Where the utterance began that another gateway would hear again, once the client knows. */
  #begun: SoundPlace;
  #isBegunKnown = true;
  #acked = 0;
  #nowMs = 0;

  constructor() {
    const plan = { learner: 0, arrivalMs: 0, leaveMs: 1e9, network: 'none', language: 'en-US', utterances: [] };
    this.#meter = new SessionMeter({
      ...{ plan, speechBeginMs: [], startMs: 0, warmupMs: 0, frameMs: 20, emitIntervalMs: 100 },
      ...{ recorder: this.#recorder, traces: new TraceSink(1, 1) },
    });
    this.#intake = this.#gateway();
    this.#begun = this.#intake.place();
    this.#hear({ type: 'ready', ...{ next_seq: 0, epoch: 0, utterance_id: 1, resumed: false } } as ServerMessage);
  }

  step(step: Step): void {
    if (step === 'ack') this.#say(this.#ack());
    else if (step === 'begin') this.#begin();
    else if (step === 'cut') this.#resume();
    else if (step === 'takeover') this.#takeOver();
    else if ('say' in step) for (let i = 0; i < step.times; i++) this.#send(step.say);
    else if ('appLoses' in step) this.#lose(step.appLoses);
    else if ('arrive' in step) for (const frame of this.#up.splice(0, step.arrive)) this.#arrive(frame);
    else if ('passMs' in step) this.#pass(step.passMs);
    else for (const message of this.#down.splice(0, step.read)) this.#hear(message);
  }

  end(how: string) {
    if (how === 'closes') this.step({ arrive: this.#up.length });
    if (how !== 'dies') {
      expect(this.#intake.flush(this.#nowMs)).toBeUndefined();
      expect(this.#intake.giveUpTo(this.#outbox.sent - 1, this.#nowMs)).toBeUndefined();
      this.#say(this.#ack());
      this.step({ read: this.#down.length });
      // What was overtaken by the goodbye is late.
      this.step({ arrive: this.#up.length });
    }
    const { sent, lost, unacked, lostUnacked, resent } = this.#outbox;
    const outcome = how === 'dies' ? 'lost' : 'closed';
    this.#meter.end(this.#nowMs, { outcome, sent: sent - lost, unacked, lostUnacked, resent });
    const { tally } = this.#recorder.slice({ profile: 'direct', language: 'en-US' });
    const { frames_sent, frames_acked, lost_by_network, lost_frames } = tally;
    this.#recorder[Symbol.dispose]();
    const passed = [...this.#sent].filter((seq) => seq < this.#acked);
    const heard = passed.filter((seq) => this.#heard.has(seq)).length;
    return {
      tally: { frames_sent, heard: frames_acked - lost_by_network, lost_by_network, lost_frames },
      truth: {
        ...{ frames_sent: this.#sent.size, heard, lost_by_network: passed.length - heard },
        lost_frames: this.#sent.size - passed.length,
      },
    };
  }

  #send(fate: 'comes' | 'lost' | 'late' | 'twice'): void {
    this.#pass(20);
    this.#meter.frames.frameSent(this.#nowMs, this.#nowMs);
    const frame = this.#outbox.add(sound, 0);
    this.#sent.add(frame.seq);
    if (fate === 'late') this.#up.unshift(frame);
    if (fate === 'comes' || fate === 'twice') this.#arrive(frame);
    if (fate === 'twice') this.#arrive(frame);
  }

  #lose(times: number): void {
    this.#pass(20 * times);
    for (let i = 0; i < times; i++) {
      this.#meter.frames.frameLost();
      this.#outbox.lose(sound, 0);
    }
  }

  #arrive(frame: AudioFrame): void {
    const outcome = this.#intake.add(frame, this.#nowMs);
    if (typeof outcome === 'object') throw new Error(outcome.message);
    if (outcome === 'accepted' || outcome === 'early') this.#heard.add(frame.seq);
  }

  #pass(ms: number): void {
    this.#nowMs += ms;
    expect(this.#intake.release(this.#nowMs)).toBeUndefined();
  }

  #begin(): void {
    expect(this.#intake.flush(this.#nowMs)).toBeUndefined();
    this.#begun = this.#intake.place();
    this.#isBegunKnown = false;
    this.#say(this.#ack());
  }

  /** The same gateway goes on: what it said and nobody read comes again, but for acks. */
  #resume(): void {
    const unread = this.#down.filter(({ type }) => type === 'info');
    this.#down = [];
    this.#goOnFrom(this.#intake.checkpoint().nextSeq);
    for (const message of unread) this.#hear(message);
    this.#hear(this.#ack());
    this.#isBegunKnown = false;
  }

  /** Another goes on from where the utterance began, and hears it again. */
  #takeOver(): void {
    if (!this.#isBegunKnown) return;
    for (const seq of this.#heard) if (seq >= this.#begun.seq) this.#heard.delete(seq);
    this.#down = [];
    this.#intake = this.#gateway(this.#begun);
    this.#goOnFrom(this.#begun.seq);
  }

  #goOnFrom(nextSeq: number): void {
    this.#up = [];
    this.#hear({ type: 'ready', ...{ next_seq: nextSeq, epoch: 0, utterance_id: 1, resumed: true } } as ServerMessage);
    for (const frame of this.#outbox.retransmit(nextSeq)) this.#arrive(frame);
  }

  #gateway(from?: SoundPlace): Intake {
    return new Intake({
      ...{ codec: 'pcm_s16le', sampleRateHz: 16_000, modelRateHz: 16_000, clock: new AudioClock(), from },
      limits: { ...defaultLimits, maxBufferedMs: 600_000 },
      latenessMs: () => 0,
      onSound: () => {},
      onGap: (_, frames) => this.#say({ type: 'info', code: 'audio_gap', message: 'gone', frames }),
    });
  }

  #say(message: ServerMessage): void {
    this.#down.push(message);
  }

  #ack(): ServerMessage {
    const { epoch, nextSeq, missing } = this.#intake.checkpoint();
    return { type: 'ack', epoch, next_seq: nextSeq, missing, buffered_ms: 0, keep_from: this.#begun.seq };
  }

  #hear(message: ServerMessage): void {
    if (message.type === 'ack') {
      this.#outbox.acknowledge(message.next_seq, message.keep_from);
      if (message.keep_from === this.#begun.seq) this.#isBegunKnown = true;
    }
    if (message.type === 'ack' || message.type === 'ready') this.#acked = message.next_seq;
    this.#meter.event({ event_id: 1, audio_ms: 0, ...message }, this.#nowMs);
  }
}

const sound = new SoundFrames({ pcm: new Uint8Array(640), sampleRateHz: 16_000 }, 20);
