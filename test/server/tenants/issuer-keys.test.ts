import { describe, expect, it } from 'vitest';
import { fixedKeys, RemoteKeys } from '../../../src/server/tenants/issuer-keys.ts';
import { type Issuer, JwtVerifier } from '../../../src/server/tenants/jwt-verifier.ts';
import { createLog } from '../../../src/telemetry/log.ts';
import { goodClaims, newIssuer, rawToken } from '../../kit/server/tenants.ts';

const old = newIssuer();
const next = newIssuer();
const oldKey = await old.jwk('old');
const nextKey = await next.jwk('next');

/** An issuer whose keys are behind a URL that a test changes. */
function published() {
  const state = { nowMs: 0, fetched: 0, keys: [oldKey] as object[], isAway: false, lines: [] as string[] };
  const keys = new RemoteKeys({
    url: 'https://login.school.example/keys',
    log: createLog('info', { write: (line: string) => void state.lines.push(line) }),
    now: () => state.nowMs,
    fetchText: async () => {
      state.fetched += 1;
      if (state.isAway) throw new Error('connection refused');
      return JSON.stringify({ keys: state.keys });
    },
  });
  const verifier = verifierOf({ keys });
  const asked = async (token: string): Promise<string> => {
    const outcome = await verifier.verify(token, undefined);
    return 'status' in outcome ? outcome.code : 'believed';
  };
  return { state, asked };
}

function verifierOf(issuer: Pick<Issuer, 'keys'>): JwtVerifier {
  const verifier = new JwtVerifier({ wallMs: Date.now });
  verifier.replace([{ issuer: old.url, audience: 'eu', algorithms: ['RS256'], clockToleranceMs: 0, ...issuer }]);
  return verifier;
}

describe('the keys behind a URL', () => {
  it('are fetched once for many tokens', async () => {
    const { state, asked } = published();
    const token = await old.token({}, { kid: 'old' });
    const outcomes = await Promise.all(Array.from({ length: 20 }, () => asked(token)));
    expect(outcomes.every((outcome) => outcome === 'believed')).toBe(true);
    expect(state.fetched).toBe(1);
  });

  it('are fetched again for a key that is new, each half minute at most', async () => {
    const { state, asked } = published();
    await asked(await old.token({}, { kid: 'old' }));
    const token = await next.token({}, { kid: 'next' });
    expect(await asked(token)).toBe('unknown_key');
    state.keys = [oldKey, nextKey];
    expect(await asked(token)).toBe('unknown_key');
    expect(state.fetched).toBe(1);
    state.nowMs += 30_000;
    expect(await asked(token)).toBe('believed');
    for (let call = 0; call < 10; call++) await asked(rawToken({ alg: 'RS256', kid: `guess ${call}` }, goodClaims()));
    expect(state.fetched).toBe(2);
  });

  it('that are known go on while the issuer is away; others are refused aloud', async () => {
    const { state, asked } = published();
    const token = await old.token({}, { kid: 'old' });
    await asked(token);
    state.isAway = true;
    state.nowMs += 3_600_000;
    expect(await asked(token)).toBe('believed');
    expect(await asked(await next.token({}, { kid: 'next' }))).toBe('keys_unavailable');
    expect(state.lines.join('')).toMatch(/keys of an issuer cannot be fetched.*/);
    expect(state.lines.join('')).toContain('connection refused');
  });

  it('that were never there are told apart from a key that is unknown', async () => {
    const { state, asked } = published();
    state.isAway = true;
    const token = await old.token({}, { kid: 'old' });
    expect(await asked(token)).toBe('keys_unavailable');
    state.isAway = false;
    state.nowMs += 30_000;
    expect(await asked(token)).toBe('believed');
  });

  it('are those that verify: what else is published beside them is passed over', async () => {
    const { state, asked } = published();
    state.keys = [{ kty: 'oct', k: 'c2VjcmV0', kid: 'old' }, { kty: 'RSA', use: 'enc' }, oldKey];
    expect(await asked(await old.token({}, { kid: 'old' }))).toBe('believed');
  });

  it('that are gone when they are fetched anew are believed no longer', async () => {
    const { state, asked } = published();
    const token = await old.token({}, { kid: 'old' });
    await asked(token);
    state.keys = [nextKey];
    state.nowMs += 600_001;
    await asked(token);
    expect(await asked(token)).toBe('unknown_key');
  });
});

describe('keys of a file', () => {
  it('without ids are tried one by one, whatever id a token names', async () => {
    const verifier = verifierOf({ keys: fixedKeys([await old.jwk(), await next.jwk()]) });
    for (const issuer of [old, next]) {
      expect(await verifier.verify(await issuer.token({}, { kid: 'any' }), undefined)).toHaveProperty(
        'claims.sub',
        'anna',
      );
    }
    expect(await verifier.verify(await newIssuer().token(), undefined)).toMatchObject({ code: 'bad_signature' });
  });
});
