import { array, assert, constantFrom, integer, property, record } from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import type {
  Backend,
  BackendError,
  ErrorClass,
  Hearing,
  HearingEvents,
  HearingInput,
} from '../../src/backends/backend.ts';
import { guard } from '../../src/backends/guard.ts';
import type { BackendGuardOptions } from '../../src/backends/guard-options.ts';
import { RetryBudget } from '../../src/backends/retry-budget.ts';
import { type VirtualTime, virtualTime } from '../kit/virtual-time.ts';

/** A hearing as its backend holds it. */
type Held = { input: HearingInput; on: HearingEvents; did: string[]; closed: boolean };

/** A backend that does what the test says, and nothing by itself. */
function puppet(kind: Backend['kind'] = 'deepgram'): { backend: Backend; held: Held[] } {
  const held: Held[] = [];
  const backend: Backend = {
    name: 'vendor',
    kind,
    open(input, on) {
      const one: Held = { input, on, did: [], closed: false };
      held.push(one);
      return {
        push: (pcm, startMs) => one.did.push(`sound ${pcm[0]} at ${startMs}`),
        utteranceOver: () => one.did.push('over'),
        next: (reference) => one.did.push(`next ${reference}`),
        close: () => {
          one.closed = true;
        },
      };
    },
    close: async () => {},
  };
  return { backend, held };
}

const input: HearingInput = { session: 's', language: 'en', sampleRateHz: 16_000, reference: 'a b' };
const frame = (first = 8000): Int16Array => new Int16Array(320).fill(first);
const quiet = new Int16Array(320);
const failure = (of: ErrorClass): BackendError => ({ class: of, message: `a ${of}` });

let time: VirtualTime;
let told: string[];
let on: HearingEvents;

beforeEach(() => {
  time = virtualTime(5000);
  told = [];
  on = {
    onReady: () => told.push('ready'),
    onText: ({ text, isFinal }) => told.push(`${isFinal ? 'final' : 'text'} ${text}`),
    onError: (error) => told.push(`${error.class}: ${error.message}`),
  };
});

function guarded(backend: Backend, options: Partial<BackendGuardOptions> = {}) {
  return guard(backend, { price: 0.01, retryBudget: new RetryBudget(), time, random: () => 0.5, ...options });
}

/** One utterance that goes well: text 300 ms behind its sound, the final 200 ms behind its end. */
function goWell(hearing: Hearing, { on: tell }: Held, utterance = 0): void {
  hearing.push(frame(), 0);
  time.pass(300);
  tell.onText({ utterance, text: 'a', settled: 0, isFinal: false });
  hearing.utteranceOver();
  time.pass(200);
  tell.onText({ utterance, text: 'a b', settled: 3, isFinal: true });
}

/** The backend has shown how fast it is. */
function measured(options: Partial<BackendGuardOptions> = {}, kind?: Backend['kind']) {
  const { backend, held } = puppet(kind);
  const tested = guarded(backend, options);
  for (let time = 0; time < 25; time++) {
    const hearing = tested.open(input, on);
    held.at(-1)!.on.onReady();
    goWell(hearing, held.at(-1)!);
    hearing.close();
  }
  told.length = 0;
  return { tested, held };
}

describe('a session that goes well', () => {
  it('passes through as it is', () => {
    const { backend, held } = puppet();
    const hearing = guarded(backend).open(input, on);
    held[0]!.on.onReady();
    goWell(hearing, held[0]!);
    hearing.next('c');
    hearing.close();
    expect(held[0]).toMatchObject({ input, did: ['sound 8000 at 0', 'over', 'next c'], closed: true });
    expect(told).toEqual(['ready', 'text a', 'final a b']);
  });

  it('keeps what was said before the backend was ready in order, once', () => {
    const { backend, held } = puppet();
    const hearing = guarded(backend).open(input, on);
    hearing.push(frame(1), 0);
    hearing.utteranceOver();
    hearing.next('c');
    hearing.push(frame(2), 40);
    held[0]!.on.onReady();
    hearing.push(frame(3), 60);
    expect(held[0]!.did).toEqual(['sound 1 at 0', 'over', 'next c', 'sound 2 at 40', 'sound 3 at 60']);
  });

  it('is counted, and priced', () => {
    const { tested } = measured();
    expect(tested.status()).toMatchObject({
      breaker: { state: 'closed' },
      sessions: 0,
      timeoutsMs: { ready: 1000, text: 1500, final: 2500 },
      counts: { opened: 25, retried: 0, finals: 25, timedOut: 0, failed: { fault: 0 } },
    });
    expect(tested.status().spent).toBeCloseTo((25 * 0.02 * 0.01) / 60, 12);
  });
});

describe('an opening that fails', () => {
  it('is tried again after a drawn time, with all that was said, twice at most', () => {
    const { backend, held } = puppet();
    const tested = guarded(backend);
    const hearing = tested.open(input, on);
    const pcm = frame(1);
    hearing.push(pcm, 0);
    pcm.fill(9);
    held[0]!.on.onError(failure('fault'));
    time.pass(49);
    expect(held).toHaveLength(1);
    time.pass(1);
    hearing.push(frame(2), 20);
    held[1]!.on.onError(failure('fault'));
    hearing.push(frame(3), 40);
    time.pass(100);
    expect(held[2]!.did).toEqual(['sound 1 at 0', 'sound 2 at 20', 'sound 3 at 40']);
    expect(told).toEqual([]);
    held[2]!.on.onError(failure('fault'));
    expect(told).toEqual(['fault: a fault']);
    time.pass(5000);
    expect(held).toHaveLength(3);
    expect(tested.status()).toMatchObject({ sessions: 0, counts: { opened: 1, retried: 2, failed: { fault: 3 } } });
  });

  it.each(['rate', 'auth', 'budget'] as const)('is not tried again for %s', (of) => {
    const { backend, held } = puppet();
    guarded(backend).open(input, on);
    held[0]!.on.onError(failure(of));
    time.pass(5000);
    expect(told).toEqual([`${of}: a ${of}`]);
    expect(held).toHaveLength(1);
  });

  it('is not tried again once it was ready: what was heard may be told already', () => {
    const { backend, held } = puppet();
    guarded(backend).open(input, on);
    held[0]!.on.onReady();
    held[0]!.on.onError(failure('fault'));
    expect(told).toEqual(['ready', 'fault: a fault']);
  });

  it('is not tried again beyond the budget that all backends share', () => {
    const retryBudget = new RetryBudget();
    const [one, other] = [puppet(), puppet()];
    const [first, second] = [guarded(one.backend, { retryBudget }), guarded(other.backend, { retryBudget })];
    first.open(input, on);
    second.open({ ...input, session: 't' }, on);
    one.held[0]!.on.onError(failure('fault'));
    other.held[0]!.on.onError(failure('fault'));
    expect(told).toEqual(['fault: a fault']);
    time.pass(50);
    one.held[1]!.on.onReady();
    expect(retryBudget.retrying).toBe(0);
  });

  it('is not tried again while the breaker is open', () => {
    const { backend, held } = puppet();
    const tested = guarded(backend, { retryBudget: new RetryBudget(1), breaker: { consecutive: 1 } });
    tested.open(input, on);
    held[0]!.on.onError(failure('fault'));
    time.pass(1000);
    expect(held).toHaveLength(1);
    expect(told).toEqual(['fault: a fault']);
  });

  it('gives up the rest when the learner leaves', () => {
    const { backend, held } = puppet();
    const tested = guarded(backend);
    const hearing = tested.open(input, on);
    held[0]!.on.onError(failure('fault'));
    hearing.close();
    time.pass(5000);
    expect(held).toHaveLength(1);
    expect(told).toEqual([]);
    expect(tested.status().sessions).toBe(0);
  });

  it('ends when more waits than may be kept', async () => {
    const { backend, held } = puppet();
    const hearing = guarded(backend, { retry: { firstMs: 4000, mostMs: 4000 } }).open(input, on);
    held[0]!.on.onError(failure('fault'));
    for (let at = 0; at < 500; at++) hearing.push(frame(), at * 20);
    await Promise.resolve();
    expect(told).toEqual(['fault: vendor takes no session, and too much sound waits']);
  });
});

describe('a backend that hangs', () => {
  it('at the opening costs one timeout, all tries together', () => {
    const { tested, held } = measured();
    const hearing = tested.open(input, on);
    hearing.push(frame(), 0);
    time.pass(900);
    held.at(-1)!.on.onError(failure('fault'));
    time.pass(99);
    expect(told).toEqual([]);
    time.pass(1);
    expect(told).toEqual(['fault: vendor took no session for 1.0 s']);
    expect(held.at(-1)!.closed).toBe(true);
  });

  it.each<[string, number, (hearing: Hearing, held: Held) => void, string]>([
    ['before its first text', 1500, (hearing) => hearing.push(frame(), 0), 'wrote nothing of what was said for 1.5 s'],
    [
      'in the middle of an utterance',
      1500,
      (hearing, held) => {
        hearing.push(frame(), 0);
        held.on.onText({ utterance: 0, text: 'a', settled: 0, isFinal: false });
        hearing.push(frame(), 20);
      },
      'wrote nothing of what was said for 1.5 s',
    ],
    [
      'at the end',
      2500,
      (hearing) => {
        hearing.push(frame(), 0);
        hearing.utteranceOver();
      },
      'gave no final for 2.5 s',
    ],
    ['when the next utterance ends the last', 2500, (hearing) => hearing.next('c'), 'gave no final for 2.5 s'],
  ])('%s is found after its own timeout', (_, waitMs, act, sentence) => {
    const { tested, held } = measured();
    const hearing = tested.open(input, on);
    held.at(-1)!.on.onReady();
    act(hearing, held.at(-1)!);
    time.pass(waitMs - 1);
    expect(told.filter((one) => one.startsWith('fault'))).toEqual([]);
    time.pass(1);
    expect(told.at(-1)).toBe(`fault: vendor ${sentence}`);
    expect(tested.status().counts).toMatchObject({ timedOut: 1, failed: { fault: 1 } });
  });

  it('is not suspected while nobody speaks', () => {
    const { tested, held } = measured();
    const hearing = tested.open(input, on);
    held.at(-1)!.on.onReady();
    for (let at = 0; at < 1000; at++) {
      hearing.push(quiet, at * 20);
      time.pass(20);
    }
    expect(told).toEqual(['ready']);
  });

  it('is not suspected of writing late when it only ever writes at the end', () => {
    const { backend, held } = puppet('openai-realtime');
    const tested = guarded(backend);
    for (let count = 0; count < 30; count++) {
      const hearing = tested.open(input, on);
      held.at(-1)!.on.onReady();
      hearing.push(frame(), 0);
      time.pass(9000);
      hearing.utteranceOver();
      held.at(-1)!.on.onText({ utterance: 0, text: 'a b', settled: 3, isFinal: true });
      hearing.close();
    }
    expect(tested.status().counts).toMatchObject({ finals: 30, timedOut: 0 });
  });

  it('opens the breaker, so that later learners wait for nothing, and closes it when it is well', async () => {
    const { tested, held } = measured();
    for (let count = 0; count < 5; count++) tested.open({ ...input, session: `${count}` }, on);
    time.pass(1000);
    expect(told).toHaveLength(5);
    expect(tested.hindrance()).toEqual({
      why: 'broken',
      message: 'vendor is left alone, tried again in 5 s: vendor took no session for 1.0 s',
      retryAfterMs: 5000,
    });
    told.length = 0;
    tested.open(input, on);
    expect(held).toHaveLength(30);
    await Promise.resolve();
    expect(told).toEqual(['fault: vendor is left alone, tried again in 5 s: vendor took no session for 1.0 s']);
    time.pass(5000);
    expect(tested.hindrance()).toBeUndefined();
    const trial = tested.open(input, on);
    expect(tested.hindrance()).toMatchObject({ why: 'broken' });
    held.at(-1)!.on.onReady();
    goWell(trial, held.at(-1)!);
    expect(tested.hindrance()).toBeUndefined();
    expect(tested.status()).toMatchObject({ breaker: { state: 'closed' }, counts: { hindered: { broken: 1 } } });
  });
});

describe('a deadline of the session', () => {
  it('is handed on', () => {
    const { backend, held } = puppet();
    guarded(backend).open({ ...input, deadlineMs: 400 }, on);
    expect(held[0]!.input.deadlineMs).toBe(400);
  });

  it('ends the hearing when it is short, which is no fault of the backend', () => {
    const { tested, held } = measured();
    for (let count = 0; count < 10; count++) {
      const hearing = tested.open({ ...input, session: `${count}`, deadlineMs: 400 }, on);
      held.at(-1)!.on.onReady();
      hearing.utteranceOver();
      time.pass(399);
      expect(told.at(-1)).toBe('ready');
      time.pass(1);
      expect(told.at(-1)).toBe('fault: vendor gave no final within the 0.4 s that were left');
    }
    expect(tested.status()).toMatchObject({ breaker: { state: 'closed' }, timeoutsMs: { final: 2500 }, sessions: 0 });
  });
});

describe('caps', () => {
  it('turns away what is above the sessions that it may hear', async () => {
    const { backend, held } = puppet();
    const tested = guarded(backend, { maxSessions: 1 });
    const first = tested.open(input, on);
    tested.open({ ...input, session: 't' }, on);
    expect(held).toHaveLength(1);
    await Promise.resolve();
    expect(told).toEqual(['rate: vendor hears as many sessions as it may, 1']);
    first.close();
    expect(tested.hindrance()).toBeUndefined();
  });

  it('turns away what is above what it may cost an hour, and only until an hour is over', async () => {
    const { backend, held } = puppet();
    const tested = guarded(backend, { price: 0.5, most: 1 });
    const hearing = tested.open(input, on);
    held[0]!.on.onReady();
    for (let at = 0; at < 6000; at++) hearing.push(quiet, at * 20);
    tested.open({ ...input, session: 't' }, on);
    await Promise.resolve();
    expect(told.at(-1)).toBe('budget: vendor has cost $1.00 in the last hour of at most $1');
    expect(tested.hindrance()?.why).toBe('over its cost');
    hearing.close();
    time.pass(61 * 60_000);
    expect(tested.hindrance()).toBeUndefined();
  });

  it('is not called to whom has left by the time', async () => {
    const { backend } = puppet();
    guarded(backend, { maxSessions: 0 }).open(input, on).close();
    await Promise.resolve();
    expect(told).toEqual([]);
  });
});

it('hears no more sessions than it may, tries no more often than it may, whatever happens', () => {
  const step = record({
    do: constantFrom('open', 'ready', 'final', 'fault', 'rate', 'close', 'wait'),
    which: integer({ min: 0, max: 30 }),
    ms: integer({ min: 1, max: 400 }),
  });
  assert(
    property(array(step, { maxLength: 80 }), (steps) => {
      const own = virtualTime();
      const retryBudget = new RetryBudget();
      const { backend, held } = puppet();
      const tested = guard(backend, { price: 0.01, maxSessions: 6, retryBudget, time: own });
      const hearings: Hearing[] = [];
      for (const { do: what, which, ms } of steps) {
        const one = held.length > 0 ? held[which % held.length]! : undefined;
        const isOpen = tested.status().breaker.state === 'open';
        const before = held.length;
        if (what === 'open') hearings.push(tested.open(input, { onReady() {}, onText() {}, onError() {} }));
        else if (what === 'ready') one?.on.onReady();
        else if (what === 'final') one?.on.onText({ utterance: 0, text: '', settled: 0, isFinal: true });
        else if (what === 'fault' || what === 'rate') one?.on.onError(failure(what));
        else if (what === 'close') hearings[which % Math.max(1, hearings.length)]?.close();
        else own.pass(ms);
        const { sessions, counts } = tested.status();
        expect(sessions).toBeLessThanOrEqual(6);
        expect(sessions).toBe(retryBudget.live);
        expect(retryBudget.retrying).toBeLessThanOrEqual(Math.max(1, Math.floor(0.2 * 6)));
        expect(held.length).toBe(counts.opened + counts.retried);
        if (isOpen && what !== 'wait') expect(held.length).toBe(before);
      }
      for (const hearing of hearings) hearing.close();
      expect(tested.status().sessions).toBe(0);
      expect(retryBudget).toMatchObject({ live: 0, retrying: 0 });
    }),
    { numRuns: 200, seed: 6 },
  );
});
