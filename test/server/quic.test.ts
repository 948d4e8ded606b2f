import { describe, expect, it } from 'vitest';
import { localhostTls } from '../kit/localhost.ts';
import { quicLack } from '../kit/quic-lack.ts';
import { Learner } from '../kit/server/learner.ts';
import { metricsByTls } from '../kit/server/metrics-by-tls.ts';
import { serve } from '../kit/server/serve.ts';

it('there is a library to try QUIC with on CI', () => {
  if (process.env.CI) expect(quicLack).toBeUndefined();
});

describe.skipIf(quicLack !== undefined)('QUIC', () => {
  it.each([
    ['quic-stream', 0],
    ['quic-datagram', 51],
  ] as const)('carries a session by %s', async (transport, datagrams) => {
    const server = await serve({ tls: localhostTls, quicPort: 0 });
    const learner = new Learner(() => [server.url], { transport, tls: { ca: localhostTls.certificate } });
    await learner.speak(0, 50);
    expect(await learner.finish()).toMatchObject({ outcome: 'closed', code: 1000 });
    expect(learner.broken).toEqual([]);
    const metrics = await metricsByTls(server.url);
    expect(metrics).toContain('speechfb_carriers_total{transport="quic"} 1');
    expect(metrics).toContain('speechfb_frames_total{outcome="accepted"} 51');
    const heard = Number(/^speechfb_datagrams_total\{outcome="heard"\} (\d+)$/m.exec(metrics)?.[1] ?? 0);
    expect(heard).toBe(datagrams);
  });
});
