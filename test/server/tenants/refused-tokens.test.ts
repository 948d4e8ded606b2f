import { describe, expect, it } from 'vitest';
import { createLog } from '../../../src/telemetry/log.ts';
import { connect, refusedUpgrade, startMessage } from '../../kit/server/client.ts';
import { serve } from '../../kit/server/serve.ts';
import { apiToken, goodClaims, hmacSigned, newIssuer, newRegistry, rawToken } from '../../kit/server/tenants.ts';

const issuer = newIssuer();
const stranger = newIssuer();
const good = await apiToken('0123456789ab');
const ended = await apiToken('0123456789ac', { expires: '2020-01-01T00:00:00Z' });
const abroad = await apiToken('0123456789ad');
const nowS = Math.floor(Date.now() / 1000);
/** Tokens end by this clock, however long a test takes. */
const clock = { wallMs: () => nowS * 1000 };
const spec = {
  tenants: [
    { name: 'school-a', tokens: [good.entry, ended.entry] },
    { name: 'school-b' },
    { name: 'school-us', regions: ['us'], tokens: [abroad.entry] },
  ],
  issuers: [
    {
      issuer: issuer.url,
      algorithms: ['RS256'],
      keys: [await issuer.jwk('k1')],
      tenants: ['school-a', 'school-us'],
      clockTolerance: '5s',
    },
  ],
};
const k1 = { kid: 'k1' };
const header = { alg: 'RS256', kid: 'k1' };

const refused: [string, number, string, string, string][] = [
  ['expired', 401, 'token_expired', 'token_expired', await issuer.token({ exp: nowS - 6 }, k1)],
  ['without an end', 401, 'bad_token', 'token_malformed', await issuer.token({ exp: undefined }, k1)],
  ['of the future', 401, 'token_too_early', 'token_early', await issuer.token({ nbf: nowS + 60 }, k1)],
  ['for another audience', 401, 'wrong_audience', 'token_audience', await issuer.token({ aud: 'us' }, k1)],
  ['for no audience', 401, 'wrong_audience', 'token_audience', await issuer.token({ aud: undefined }, k1)],
  ['of another issuer', 401, 'wrong_issuer', 'token_issuer', await issuer.token({ iss: 'https://evil.example/' }, k1)],
  ['unsigned', 401, 'wrong_algorithm', 'token_algorithm', rawToken({ alg: 'none' }, goodClaims())],
  ['unsigned, oddly written', 401, 'wrong_algorithm', 'token_algorithm', rawToken({ alg: 'nOnE' }, goodClaims())],
  ['signed as HS256 with the public key', 401, 'wrong_algorithm', 'token_algorithm', hmacToken()],
  ['RS256 without a signature', 401, 'bad_signature', 'token_signature', rawToken(header, goodClaims())],
  [
    'with an algorithm that nobody named',
    401,
    'wrong_algorithm',
    'token_algorithm',
    await issuer.token({}, { ...k1, alg: 'PS256' }),
  ],
  ['signed by somebody else', 401, 'bad_signature', 'token_signature', await stranger.token({}, k1)],
  ['whose claims were changed', 401, 'bad_signature', 'token_signature', await changed()],
  ['of a key that is unknown', 401, 'unknown_key', 'token_key', await issuer.token({}, { kid: 'k2' })],
  ['of a tenant of others', 403, 'unknown_tenant', 'tenant', await issuer.token({ tenant: 'school-b' }, k1)],
  ['of no tenant', 401, 'bad_token', 'token_malformed', await issuer.token({ tenant: undefined }, k1)],
  ['of a tenant that is a list', 401, 'bad_token', 'token_malformed', await issuer.token({ tenant: ['school-a'] }, k1)],
  ['of no user', 401, 'bad_token', 'token_malformed', await issuer.token({ sub: undefined }, k1)],
  ['of a user with a long name', 401, 'bad_token', 'token_malformed', await issuer.token({ sub: 'a'.repeat(129) }, k1)],
  ['in a lane that is none', 401, 'bad_token', 'token_malformed', await issuer.token({ lane: 'fast' }, k1)],
  ['bound to another region', 403, 'wrong_region', 'region', await issuer.token({ region: 'us' }, k1)],
  ['of a tenant of another region', 403, 'wrong_region', 'region', await issuer.token({ tenant: 'school-us' }, k1)],
  ['of API, of another region', 403, 'wrong_region', 'region', abroad.token],
  ['of API, ended', 401, 'token_expired', 'token_expired', ended.token],
  ['of API, with a wrong secret', 401, 'unauthorized', 'token', good.token.replace(/a$/, 'b')],
  ['of API, with an id that is none', 401, 'unauthorized', 'token', good.token.replace('ab_', 'ff_')],
  ['of API, cut', 401, 'unauthorized', 'token', good.token.slice(0, -1)],
  ['giant', 401, 'bad_token', 'token_malformed', await issuer.token({ more: 'x'.repeat(7000) }, k1)],
  ['of garbage with dots', 401, 'bad_token', 'token_malformed', 'a.b.c'],
  ['of four parts', 401, 'bad_token', 'token_malformed', `${await issuer.token({}, k1)}.e30`],
  ['encrypted', 401, 'bad_token', 'token_malformed', rawToken({ alg: 'dir', enc: 'A256GCM' }, {}).replace('.', '....')],
  ['of garbage', 401, 'bad_token', 'token_malformed', 'garbage'],
  ['with a header that it calls critical', 401, 'bad_token', 'token_malformed', critical()],
];

describe('a token', () => {
  it.each(refused)(
    '%s is refused with %i %s before there is a WebSocket, and counted',
    async (_, status, code, reason, token) => {
      const lines: string[] = [];
      const log = createLog('info', { write: (line: string) => void lines.push(line) });
      const operator = { size: 1, nameOf: (given: string) => (given === 'operator' ? 'operator' : undefined) };
      const server = await serve({ tenants: newRegistry(spec, clock), tokens: operator, log });
      const answer = await refusedUpgrade(server.url, { headers: { authorization: `Bearer ${token}` } });
      expect(answer).toMatchObject({ status, body: expect.stringContaining(`[${code}]`) });
      const metrics = await textOf(server.port, '/metrics', 'operator');
      expect(metrics).toContain(`speechfb_refused_requests_total{reason="${reason}"} 1`);
      expect(lines.join('')).toContain(`"reason":"${reason}"`);
      for (const part of token.split(/[._]/).filter(({ length }) => length > 5)) {
        expect(lines.join('')).not.toContain(part);
        expect(answer.body).not.toContain(part);
      }
    },
  );

  it.each([
    ['of a user', () => issuer.token({}, k1)],
    ['of a user in this region', () => issuer.token({ region: 'eu', lane: 'live' }, k1)],
    ['for several audiences', () => issuer.token({ aud: ['us', 'eu'] }, k1)],
    ['that ended a moment ago, by a clock that may be wrong', () => issuer.token({ exp: nowS - 1 }, k1)],
    ['of API', async () => good.token],
  ])('%s opens a session, as a header and as a subprotocol', async (_, make) => {
    const token = await make();
    const server = await serve({ tenants: newRegistry(spec, clock) });
    const ways = [{ headers: { authorization: `Bearer ${token}` } }, { protocols: ['speechfb.v1', `bearer.${token}`] }];
    for (const way of ways) {
      const client = await connect(server.url, way);
      client.send(startMessage());
      expect(await client.until('ready')).toMatchObject({ resumed: false });
    }
  });

  it('of a tenant opens streams, and tells nothing of the server', async () => {
    const server = await serve({ tenants: newRegistry(spec, clock) });
    expect((await answerOf(server.port, '/v1/stream', good.token)).status).toBe(426);
    expect((await answerOf(server.port, '/v1/stream', ended.token)).status).toBe(401);
    expect((await answerOf(server.port, '/metrics', good.token)).status).toBe(403);
  });

  it('that has expired ends no session that runs, and resumes none', async () => {
    let wallMs = Date.now();
    const server = await serve({ tenants: newRegistry(spec, { wallMs: () => wallMs }) });
    const authorization = `Bearer ${await issuer.token({}, k1)}`;
    const client = await connect(server.url, { headers: { authorization } });
    client.send(startMessage());
    await client.until('ready');
    wallMs += 3_600_000;
    client.frames(0, 9);
    await client.until('ack');
    client.cut();
    const answer = await refusedUpgrade(server.url, { headers: { authorization } });
    expect(answer.body).toContain('[token_expired]');
  });

  it('of another user of the same tenant resumes no session', async () => {
    const server = await serve({ tenants: newRegistry(spec, clock) });
    const of = async (sub: string) => ({ headers: { authorization: `Bearer ${await issuer.token({ sub }, k1)}` } });
    const anna = await connect(server.url, await of('anna'));
    anna.send(startMessage());
    const { session_id, resume_token } = await anna.until('ready');
    anna.cut();
    const resume = { type: 'resume', session_id, resume_token, last_event_id: 0 } as const;
    const ben = await connect(server.url, await of('ben'));
    ben.send(resume);
    expect(await ben.until('error')).toMatchObject({ code: 'forbidden' });
    const again = await connect(server.url, await of('anna'));
    again.send(resume);
    expect(await again.until('ready')).toMatchObject({ resumed: true });
  });
});

function hmacToken(): string {
  return rawToken({ alg: 'HS256', kid: 'k1' }, goodClaims(), hmacSigned(issuer.publicPem));
}

function critical(): string {
  return rawToken({ ...header, crit: ['x'], x: 1 }, goodClaims(), () => 'AAAA');
}

async function changed(): Promise<string> {
  const [head, , signature] = (await issuer.token({}, k1)).split('.');
  const claims = Buffer.from(JSON.stringify({ ...goodClaims(), sub: 'ben' })).toString('base64url');
  return [head, claims, signature].join('.');
}

function answerOf(port: number, path: string, token: string): Promise<Response> {
  return fetch(`http://127.0.0.1:${port}${path}`, { headers: { authorization: `Bearer ${token}` } });
}

async function textOf(port: number, path: string, token: string): Promise<string> {
  return await (await answerOf(port, path, token)).text();
}
