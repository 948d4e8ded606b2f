import { connect as connectTcp } from 'node:net';
import fc from 'fast-check';
import { afterAll, beforeAll, expect } from 'vitest';
import { type RunningServer, startServer } from '../../src/server/gateway/server.ts';
import { readTenants } from '../../src/server/tenants/read-tenants.ts';
import { createLog } from '../../src/telemetry/log.ts';
import { editedBytes, editedText, fuzz, mayRefuse } from '../kit/fuzz.ts';
import { rawIn } from '../kit/hostile-text.ts';
import { refusedUpgrade } from '../kit/server/client.ts';
import { handshake } from '../kit/server/handshake.ts';
import { scriptedEngine, scriptedScoring } from '../kit/server/scripted.ts';
import { apiToken, newIssuer, newRegistry } from '../kit/server/tenants.ts';

const issuer = newIssuer();
const api = await apiToken('0123456789ab', { user: 'anna' });
const good = await issuer.token({}, { kid: 'k1' });
const spec = {
  tenants: [{ name: 'school-a', limits: { startsPerSecond: 1_000_000 }, tokens: [api.entry] }],
  issuers: [
    {
      issuer: issuer.url,
      audience: 'eu',
      algorithms: ['RS256'],
      keys: [await issuer.jwk('k1')],
      tenants: ['school-a'],
    },
  ],
};
const tenantsFile = `apiVersion: speechfb.dev/v1alpha1
kind: Tenants
spec:
  tenants:
    - name: school-a
      class: free
      weight: 2
      regions: [eu]
      limits: { maxSessions: 200, startsPerSecond: 0.5, audioMinutesPerDay: 6000 }
      perUser: { maxSessions: 2 }
      tokens: [${JSON.stringify(api.entry)}]
  issuers:
    - issuer: https://login.school-a.example/
      algorithms: [ES256, RS256]
      jwksUrl: https://login.school-a.example/jwks.json
      clockTolerance: 30s
      tenant: school-a
      claims: { user: sub, lane: lane }
`;

fuzz("tenants' files", editedText([tenantsFile]), 250, (text) =>
  mayRefuse(() => readTenants('tenants.yaml', text, 'eu')),
);

const registry = newRegistry(spec);
const parts = good.split('.') as [string, string, string];
const header = (fields: object) => Buffer.from(JSON.stringify(fields)).toString('base64url');
const shown = fc.oneof(
  editedText([good, api.token]),
  // Another header before a body and a signature that are right.
  fc
    .record({
      alg: fc.constantFrom('none', 'HS256', 'RS256', 'rs256', '', null, ['RS256']),
      kid: fc.constantFrom('k1', 'k2', '', '../k1', null),
      crit: fc.constantFrom(undefined, [], ['b64'], 'exp'),
      b64: fc.constantFrom(undefined, false),
    })
    .map((fields) => [header(fields), parts[1], parts[2]].join('.')),
  editedBytes(parts.map((part) => Buffer.from(part, 'base64url'))).map((bytes) =>
    [parts[0], bytes.toString('base64url'), parts[2]].join('.'),
  ),
  fc.string({ unit: 'binary', maxLength: 80 }),
);

fuzz('tokens: nobody is let in but by what was signed or handed out', shown, 600, async (token) => {
  const holder = await registry.holderOf(token, '192.0.2.1');
  if (!('status' in holder)) {
    // Of the last character of a signature two bits mean nothing.
    const isSigned = token.split('.').slice(0, 2).join('.') === parts.slice(0, 2).join('.');
    expect(isSigned || token === api.token).toBe(true);
    return;
  }
  expect(holder.code).toMatch(/^[a-z]+(_[a-z]+)*$/);
  expect(rawIn(holder.message, 'text')).toEqual([]);
  if (token.length > 20) expect(holder.message).not.toContain(token.slice(0, 20));
});

const log: string[] = [];
let server: RunningServer;
beforeAll(async () => {
  const plenty = 1_000_000;
  server = await startServer({
    engine: scriptedEngine(),
    scoring: scriptedScoring,
    tenants: newRegistry(spec),
    log: createLog('info', { write: (line: string) => log.push(line) }),
    version: '0.0.0-test',
    limits: { handshakesPerSecond: plenty, handshakeBurst: plenty },
  });
});
afterAll(() => server.close());

const upgrade = (more: readonly string[] = []): string => handshake(more, '/v1/stream?lane=batch');
const requests = [
  upgrade(),
  upgrade(['Upgrade: h2c', 'Connection: keep-alive']),
  upgrade(['Authorization: Bearer not-a-token', 'Origin: http://localhost']),
  upgrade(['Content-Length: 5', 'Transfer-Encoding: chunked']),
  upgrade([`X-Long: ${'a'.repeat(20_000)}`]),
  'GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n',
];

fuzz(
  'requests before there is a WebSocket: nobody without a token is let in',
  editedText(requests),
  250,
  async (text) => {
    const answer = await answerTo(text);
    for (const [status] of answer.matchAll(/^HTTP\/1\.1 \d+/gm)) expect(status).not.toBe('HTTP/1.1 101');
    // Metrics are an operator's, who has another token.
    expect(answer).not.toContain('speechfb_build_info');
    expect(log.filter((line) => JSON.parse(line).level >= 50)).toEqual([]);
    expect(rawIn(log.splice(0).join(''), 'json')).toEqual([]);
    expect((await refusedUpgrade(server.url)).status).toBe(401);
  },
);

/** What comes back on a connection that says this and no more. */
function answerTo(request: string): Promise<string> {
  return new Promise((resolve) => {
    let answer = '';
    const socket = connectTcp(server.port, '127.0.0.1', () => socket.end(Buffer.from(request, 'latin1')));
    socket.on('data', (data) => {
      answer += data.toString('latin1');
    });
    socket.on('error', () => {});
    socket.on('close', () => resolve(answer));
  });
}
