import { request } from 'node:https';
import { text } from 'node:stream/consumers';
import { describe, expect, it, onTestFinished } from 'vitest';
import { parseAdminTokens } from '../../src/admin/admin-tokens.ts';
import { externalMetricsPath } from '../../src/admin/external-metrics.ts';
import { AdminPlane } from '../../src/admin/plane.ts';
import { newAuthority } from '../../src/load/service/authority.ts';
import { createLog } from '../../src/telemetry/log.ts';
import { localhostTls } from '../kit/localhost.ts';

const reader = 'reader-token-0123456789';
const cluster = newAuthority('the front proxies of a cluster');
const stranger = newAuthority('somebody else');
const metric = `${externalMetricsPath}/namespaces/speech/speechfb_slots_used_ratio`;

type Asking = { pair?: { certificate: string; key: string }; host?: string; token?: string };

/** A plane behind TLS that knows the cluster's front proxy. */
async function plane({ names = [] as string[] } = {}) {
  const server = await AdminPlane.start({
    host: '127.0.0.1',
    port: 0,
    tls: localhostTls,
    tokens: parseAdminTokens(`bob read ${reader}`, 'tokens'),
    frontProxy: { ca: cluster.certificate, names },
    hosts: [],
    target: {
      role: 'gateway',
      version: '1.2.3',
      status: async () => ({
        notReady: undefined,
        model: undefined,
        slots: { slots: 100, free: 75, refused: 0, trunks: 1 },
        nodes: [],
        gateways: [],
      }),
      policy: () => ({}),
      open: () => 0,
      cordon: () => {},
      leave: () => {},
    },
    audit: undefined,
    log: createLog('silent', { write() {} }),
  });
  onTestFinished(() => server.close());
  return async (path: string, { pair, host = 'speechfb-metrics.speech.svc:443', token }: Asking = {}) => {
    const url = new URL(path, server.url);
    const headers = { host, ...(token !== undefined && { authorization: `Bearer ${token}` }) };
    const tls = {
      rejectUnauthorized: false,
      agent: false,
      ...(pair && { cert: pair.certificate, key: pair.key }),
    } as const;
    return await new Promise<{ status: number | undefined; body: string }>((resolve, reject) => {
      request(url, { headers, ...tls }, (response) => {
        text(response).then((body) => resolve({ status: response.statusCode, body }), reject);
      })
        .on('error', reject)
        .end();
    });
  };
}

describe('the front proxy of Kubernetes', () => {
  it('reads external metrics by its certificate, whatever name it calls the server by', async () => {
    const ask = await plane();
    const { status, body } = await ask(metric, { pair: cluster.issue() });
    expect(status).toBe(200);
    expect(JSON.parse(body).items).toEqual([expect.objectContaining({ value: '250m' })]);
    expect((await ask(externalMetricsPath, { pair: cluster.issue() })).status).toBe(200);
  });

  it.each<[string, number, Asking, string]>([
    ['shows no certificate', 401, { host: 'localhost' }, metric],
    ['shows that of another authority', 401, { pair: stranger.issue(), host: 'localhost' }, metric],
    ['shows that of another authority for a foreign name', 421, { pair: stranger.issue() }, metric],
    ['asks for something else', 401, { pair: cluster.issue(), host: 'localhost' }, '/admin/v1/status'],
    [
      'asks for a path that begins the same',
      401,
      { pair: cluster.issue(), host: 'localhost' },
      `${externalMetricsPath}x`,
    ],
    ['asks for a metric that is not there', 404, { pair: cluster.issue() }, `${metric}s`],
  ])('is refused when it %s: %i', async (_, status, asking, path) => {
    const ask = await plane();
    expect((await ask(path, asking)).status).toBe(status);
  });

  it('has to have one of the names that it may have', async () => {
    const ask = await plane({ names: ['front-proxy-client'] });
    expect((await ask(metric, { pair: cluster.issue(), host: 'localhost' })).status).toBe(401);
  });

  it('is not the only one: a token that may read does, too', async () => {
    const ask = await plane();
    expect((await ask(metric, { host: 'localhost', token: reader })).status).toBe(200);
  });
});
