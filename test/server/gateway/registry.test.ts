import { expect, it } from 'vitest';
import type { StartMessage } from '../../../src/protocol/client-messages.ts';
import { Registry } from '../../../src/server/gateway/registry.ts';
import { defaultLimits } from '../../../src/server/limits.ts';
import { OverloadControl } from '../../../src/server/overload/overload-control.ts';
import { Session } from '../../../src/server/session/session.ts';
import { createLog } from '../../../src/telemetry/log.ts';
import { Metrics } from '../../../src/telemetry/metrics.ts';
import { newAccount } from '../../kit/server/accounts.ts';
import { scriptedEngine, scriptedScoring } from '../../kit/server/scripted.ts';

const start: StartMessage = {
  type: 'start',
  protocol: 'speechfb.v1',
  audio: { encoding: 'pcm_s16le', sample_rate: 16_000, channels: 1 },
  language: 'en-US',
  reference: { text: 'a' },
  granularity: 'phoneme',
  emit_interval_ms: 100,
  lane: 'live',
};
const keyed = { ...start, idempotency_key: 'k' };
const text = { input: { text: 'a' }, reference: { words: [] }, release() {} };
const work = { charge: () => undefined, hold: () => () => {} };
const [anybodys, annas, bertas] = [newAccount(), newAccount('token'), newAccount('token')];
const of = (owner: string | undefined) => ({
  text,
  work,
  owner,
  accounts: [owner === undefined ? anybodys : annas] as const,
  place() {},
  isResumable: true,
});
const socket = { write() {}, unsentBytes: () => 0, close() {} };

it('sessions are counted by what they do, and are gone when they have ended', () => {
  const registry = create();
  const [streaming, detached, other] = [1, 2, 3].map(() => registry.create(start, of(undefined)));
  streaming!.attach(socket, 0);
  other!.attach(socket, 0);
  expect(registry.all()).toEqual([streaming, detached, other]);
  expect(registry.size).toBe(3);
  expect(registry.countByState()).toEqual({ streaming: 2, detached: 1, ending: 0 });
  other!.abandon();
  expect(registry.size).toBe(2);
  expect(registry.countByState()).toEqual({ streaming: 1, detached: 1, ending: 0 });
});

it('a start is known again by its key and its token', () => {
  const registry = create();
  const session = registry.create(keyed, of('anna'));
  expect(registry.startedBefore({ ...keyed }, annas, 'anna')).toBe(session);
  expect(registry.startedBefore(keyed, annas, 'another of the same tenant')).toMatchObject({
    code: 'session_conflict',
  });
  expect(registry.startedBefore(keyed, anybodys)).toBeUndefined();
  expect(registry.startedBefore(keyed, bertas)).toBeUndefined();
  expect(registry.startedBefore({ ...keyed, idempotency_key: 'other' }, annas, 'anna')).toBeUndefined();
  expect(registry.startedBefore({ ...keyed, language: 'de-DE' }, annas, 'anna')).toEqual({
    code: 'session_conflict',
    message: 'idempotency_key was used with another start',
  });
});

it.each([
  ['its client has read "ready"', ({ registry, session }: Keyed) => registry.forgetKey(session)],
  [
    'its client has resumed the session',
    ({ registry, session }: Keyed) => {
      const { id: session_id, resumeToken: resume_token } = session;
      registry.find({ type: 'resume', session_id, resume_token, last_event_id: 0 }, 'anna');
    },
  ],
  [
    'the resume window is over',
    ({ clock }: Keyed) => {
      clock.nowMs = defaultLimits.resumeTtlMs + 1;
    },
  ],
])('a key is forgotten when %s', (_, act) => {
  const clock = { nowMs: 0 };
  const registry = create(clock);
  const session = registry.create(keyed, of('anna'));
  expect(registry.startedBefore(keyed, annas, 'anna')).toBe(session);
  act({ registry, session, clock });
  expect(registry.startedBefore(keyed, annas, 'anna')).toBeUndefined();
});

it('starts without a key are never the same', () => {
  const registry = create();
  registry.create(start, of(undefined));
  expect(registry.startedBefore(start, anybodys)).toBeUndefined();
});

it('a key is free again when its session has ended, and not when one before it has', () => {
  const registry = create();
  const first = registry.create(keyed, of(undefined));
  const second = registry.create(keyed, of(undefined));
  first.abandon();
  expect(registry.startedBefore(keyed, anybodys)).toBe(second);
  second.abandon();
  expect(registry.startedBefore(keyed, anybodys)).toBeUndefined();
});

it('a resume finds its session by id, token and owner', () => {
  const registry = create();
  const session = registry.create(start, of('anna'));
  const resume = {
    type: 'resume',
    session_id: session.id,
    resume_token: session.resumeToken,
    last_event_id: 0,
  } as const;
  expect(registry.find(resume, 'anna')).toBe(session);
  expect(registry.find(resume, 'berta')).toEqual({
    code: 'forbidden',
    message: 'the session belongs to another token',
  });
  expect(registry.find({ ...resume, resume_token: 'guess' }, 'anna')).toEqual({
    code: 'unauthorized',
    message: 'resume_token does not belong to this session',
  });
  session.abandon();
  expect(registry.find(resume, 'anna')).toEqual({
    code: 'session_not_found',
    message: 'no such session: it never was, has ended, or its resume window has passed',
  });
});

it('a session has what it was started with', () => {
  const session = create().create(start, of('anna'));
  expect(session).toBeInstanceOf(Session);
  expect(session).toMatchObject({ owner: 'anna', startedWith: start });
});

type Keyed = { registry: Registry; session: Session; clock: { nowMs: number } };

function create(clock = { nowMs: 0 }): Registry {
  return new Registry({
    engine: scriptedEngine(),
    scoring: scriptedScoring,
    limits: defaultLimits,
    metrics: new Metrics({
      version: '0.0.0-test',
      sessions: () => ({ streaming: 0, detached: 0, ending: 0 }),
      engine: () => undefined,
      scoring: () => undefined,
    }),
    log: createLog('silent', { write() {} }),
    overload: new OverloadControl(defaultLimits, 2),
    now: () => clock.nowMs,
    awake: () => clock.nowMs,
  });
}
