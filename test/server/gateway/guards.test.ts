import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { SpeechfbError } from '../../../src/errors.ts';
import { Admission, type AdmissionState } from '../../../src/server/admission/admission.ts';
import { checkExposure, isLoopback, isOriginAllowed } from '../../../src/server/admission/exposure.ts';
import { TokenBucket } from '../../../src/server/admission/token-bucket.ts';
import { parseTokens, readTokenFile } from '../../../src/server/admission/tokens.ts';
import { defaultLimits } from '../../../src/server/limits.ts';
import { IdleSweep } from '../../../src/server/overload/idle-sweep.ts';
import { createSecret, sameSecret } from '../../../src/server/secrets.ts';
import { temporaryDirectory } from '../../kit/temporary-directory.ts';

describe('loopback', () => {
  it.each(['127.0.0.1', '127.9.9.9', 'localhost', 'LOCALHOST', '::1', '[::1]'])('is %s', (host) => {
    expect(isLoopback(host)).toBe(true);
  });

  it.each(['0.0.0.0', '::', '192.168.1.1', '127.0.0.1.example.org', 'localhost.example.org', ''])(
    'is not "%s"',
    (host) => {
      expect(isLoopback(host)).toBe(false);
    },
  );
});

describe('a host beyond loopback', () => {
  it('is refused without tokens and TLS', () => {
    expect(() => checkExposure('0.0.0.0', { tokens: false, tls: false })).toThrow(/--host 0\.0\.0\.0 would take/);
  });

  it.each([[{ tokens: true, tls: false }], [{ tokens: false, tls: true }]])('is taken with %o', (guard) => {
    expect(() => checkExposure('0.0.0.0', guard)).not.toThrow();
  });
});

describe('the origin of a page', () => {
  const loopback = { allowed: [], loopback: true };
  const open = { allowed: ['https://class.example'], loopback: false };
  it.each([
    ['a program, which has none', undefined, loopback, true],
    ['a page of this machine', 'http://localhost:3000', loopback, true],
    ['a page of the network on a local server', 'http://evil.example', loopback, false],
    ['a name that was made to point here', 'http://rebound.example:8090', loopback, false],
    ['a page of the server itself', 'https://speech.example:8090', open, true],
    ['a page that is listed', 'https://class.example', open, true],
    ['a page of another host', 'https://other.example', open, false],
    ['a sandboxed page', 'null', open, false],
  ])('%s: %s', (_, origin, policy, expected) => {
    const host = policy.loopback ? 'rebound.example:8090' : 'speech.example:8090';
    expect(isOriginAllowed(origin, host, policy)).toBe(expected);
  });
});

describe('a token file', () => {
  it('names who a token belongs to', () => {
    const tokens = parseTokens('# class of 2026\n\nanna 0123456789abcdef\r\nben  fedcba9876543210\n', 'tokens');
    expect(tokens.nameOf('fedcba9876543210')).toBe('ben');
    expect(tokens.nameOf('0123456789abcdeX')).toBeUndefined();
    expect(tokens.nameOf('')).toBeUndefined();
  });

  it('is read whole: every bad line at once, no token shown', () => {
    const text = 'anna\nben short\nben 0123456789abcdef\nben 0123456789abcdeg\ncarl a b\n';
    const error = thrownBy(() => parseTokens(text, 'tokens'));
    expect(error.code).toBe('bad_token_file');
    expect(error.problems).toEqual([
      { where: 'tokens:1', message: 'is not "name token"' },
      { where: 'tokens:2', message: 'the token has 5 characters; at least 16 are needed' },
      { where: 'tokens:4', message: 'the name "ben" is there twice' },
      { where: 'tokens:5', message: 'is not "name token"' },
    ]);
  });

  it('may not be empty or missing', () => {
    const path = join(temporaryDirectory(), 'tokens');
    expect(() => readTokenFile(path)).toThrow(/cannot read the token file/);
    writeFileSync(path, '# nobody\n');
    expect(thrownBy(() => readTokenFile(path)).problems).toEqual([{ where: path, message: 'holds no token' }]);
  });
});

describe('secrets', () => {
  it('are equal or not', () => {
    const secret = createSecret(32);
    expect(secret).toMatch(/^[\w-]{43}$/);
    expect(sameSecret(secret, secret)).toBe(true);
    expect(sameSecret(secret, secret.slice(1))).toBe(false);
  });
});

describe('a token bucket', () => {
  it('lets a burst through, then one at a time', () => {
    const bucket = new TokenBucket(2, 3, 0);
    expect([0, 0, 0, 0, 400, 500, 500].map((atMs) => bucket.take(atMs))).toEqual([0, 0, 0, 500, 100, 0, 500]);
  });

  it('never holds more than the burst', () => {
    const bucket = new TokenBucket(2, 1, 0);
    expect([60_000, 60_000].map((atMs) => bucket.take(atMs))).toEqual([0, 500]);
  });
});

describe('the idle sweep', () => {
  it('collects once, when the last session has been gone for half a second', () => {
    let collected = 0;
    const sweep = new IdleSweep(() => {
      collected += 1;
    });
    const seen = [
      [0, 0],
      [0, 9000],
      [2, 9100],
      [0, 9200],
      [1, 9600],
      [0, 9700],
      [0, 10_199],
      [0, 10_200],
      [0, 20_000],
    ].map(([sessions, atMs]) => {
      sweep.look(sessions!, atMs!);
      return collected;
    });
    expect(seen).toEqual([0, 0, 0, 0, 0, 0, 0, 1, 1]);
  });
});

describe('admission', () => {
  const engine = {
    streams: 9,
    queueDepth: 0,
    stepP95Ms: 20,
    busy: 0.5,
    runs: 1,
    meanBatch: 4,
    silentMs: 100,
    restarts: 0,
  };
  const room = { lane: 'live', isReturning: false, lacks: undefined, capacity: 400, late: undefined } as const;
  const state: AdmissionState = { nowMs: 0, ...room, draining: false, engine, scoring: undefined };
  it.each<[string, Partial<AdmissionState>, string | undefined]>([
    ['has room', {}, undefined],
    ['drains', { draining: true }, 'server_busy'],
    ['warms up', { engine: undefined }, 'server_busy'],
    ['is full', { lacks: 'full' }, 'server_busy'],
    ['keeps the rest for others', { lacks: 'share' }, 'server_busy'],
    ['has a slow model that is busy', { engine: { ...engine, stepP95Ms: 101, busy: 0.9 } }, 'server_busy'],
    ['has a slow model that idles', { engine: { ...engine, stepP95Ms: 101, busy: 0.2 } }, undefined],
    ['has a model that says nothing', { engine: { ...engine, silentMs: 2001 } }, 'server_busy'],
    [
      'has scoring threads that are late and busy',
      { scoring: { waitP95Ms: 101, busy: 0.9, silentMs: 0 } },
      'server_busy',
    ],
    ['has scoring threads that were late', { scoring: { waitP95Ms: 101, busy: 0.2, silentMs: 0 } }, undefined],
    ['has a scoring thread that works', { scoring: { waitP95Ms: 1, busy: 0.2, silentMs: 1999 } }, undefined],
    ['has a scoring thread that stands still', { scoring: { waitP95Ms: 1, busy: 0.2, silentMs: 2001 } }, 'server_busy'],
    ['is late for those inside', { late: 'feedback is 300 ms late' }, 'server_busy'],
    ['has a busy model that is fast', { engine: { ...engine, stepP95Ms: 60, busy: 0.99 } }, undefined],
  ])('when the server %s', (_, changes, code) => {
    expect(new Admission(defaultLimits, 0).admit({ ...state, ...changes })?.code).toBe(code);
  });
});

function thrownBy(action: () => unknown): SpeechfbError {
  try {
    action();
  } catch (error) {
    if (error instanceof SpeechfbError) return error;
  }
  throw new Error('no SpeechfbError was thrown');
}
