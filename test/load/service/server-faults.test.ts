import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ServerFaultDetails } from '../../../src/load/fault/index.ts';
import type { FaultPlan } from '../../../src/load/plan/faults.ts';
import { ServerFaults } from '../../../src/load/service/server-faults.ts';

const startMs = 1_000_000;

describe('a server that is stopped', () => {
  beforeEach(() => {
    vi.useFakeTimers({ now: startMs });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  const stops: FaultPlan[] = [
    { kind: 'stop-server', forMs: 300, atMs: 500 },
    { kind: 'stop-server', forMs: 300, atMs: 600 },
  ];

  it('goes on after its time, and the record says from when until when', async () => {
    const { server, said } = fakeServer();
    const faults = new ServerFaults(stops.slice(0, 1), server, undefined, startMs);
    await vi.advanceTimersByTimeAsync(499);
    expect(said).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect(said).toEqual(['SIGSTOP gateways']);
    await vi.advanceTimersByTimeAsync(300);
    expect(said).toEqual(['SIGSTOP gateways', 'SIGCONT gateways']);
    expect(faults.records).toEqual([{ kind: 'stop-server', plannedMs: 500, atMs: 500, untilMs: 800 }]);
  });

  it('goes on when the test ends before, whichever of its stops is still open', async () => {
    const { server, said } = fakeServer();
    const faults = new ServerFaults(stops, server, undefined, startMs);
    await vi.advanceTimersByTimeAsync(850);
    expect(said).toEqual(['SIGSTOP gateways', 'SIGSTOP gateways', 'SIGCONT gateways']);
    faults.stop();
    expect(said).toEqual(['SIGSTOP gateways', 'SIGSTOP gateways', 'SIGCONT gateways', 'SIGCONT gateways']);
    await vi.advanceTimersByTimeAsync(1000);
    expect(said).toHaveLength(4);
  });

  it('and is gone cannot be stopped, which the record says', async () => {
    const { server } = fakeServer({ gone: true });
    const faults = new ServerFaults(stops.slice(0, 1), server, undefined, startMs);
    await vi.advanceTimersByTimeAsync(2000);
    expect(faults.records).toEqual([{ kind: 'stop-server', plannedMs: 500, atMs: 500, problem: 'the server is gone' }]);
  });

  it('and is not ours stays as it is, which the record says', async () => {
    const faults = new ServerFaults(stops.slice(0, 1), undefined, undefined, startMs);
    await vi.advanceTimersByTimeAsync(2000);
    expect(faults.records).toMatchObject([{ problem: 'the server is not one that this test started' }]);
  });
});

describe('a part of the service', () => {
  beforeEach(() => {
    vi.useFakeTimers({ now: startMs });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it.each<[ServerFaultDetails, string[]]>([
    [{ kind: 'kill-node', node: 2, forMs: 300 }, ['SIGKILL node 2', 'start node 2']],
    [{ kind: 'stop-node', node: 2, forMs: 300 }, ['SIGSTOP node 2', 'SIGCONT node 2']],
    [{ kind: 'drain-node', node: 2, forMs: 300 }, ['SIGTERM node 2', 'start node 2']],
    [{ kind: 'forget-leases', node: 2, forMs: 300 }, ['SIGUSR2 node 2', 'SIGUSR2 node 2']],
    [{ kind: 'kill-gateway', gateway: 1, forMs: 300 }, ['SIGKILL gateway 1', 'start gateway 1']],
    [{ kind: 'stop-gateway', gateway: 1, forMs: 300 }, ['SIGSTOP gateway 1', 'SIGCONT gateway 1']],
    [{ kind: 'drain-gateway', gateway: 1, forMs: 300 }, ['SIGTERM gateway 1', 'start gateway 1']],
    [
      { kind: 'kill-zone', zone: 2, forMs: 300 },
      [
        ...['SIGKILL node 2', 'SIGKILL node 4', 'SIGKILL gateway 2', 'SIGKILL gateway 4'],
        ...['start node 2', 'start node 4', 'start gateway 2', 'start gateway 4'],
      ],
    ],
    [{ kind: 'expire-certificates', forMs: 300 }, ['certificates expire', 'certificates are renewed']],
    [{ kind: 'kill-redis', forMs: 300 }, ['SIGKILL store', 'start store']],
    [{ kind: 'stop-redis', forMs: 300 }, ['SIGSTOP store', 'SIGCONT store']],
    [{ kind: 'slow-redis', by: 2000, forMs: 300 }, ['answers 2000 ms later', 'answers 0 ms later']],
    [{ kind: 'fail-over-redis', forMs: 300 }, ['cut replica', 'fail over']],
    [{ kind: 'kill-kafka', forMs: 300 }, ['SIGKILL queue', 'start queue']],
    [{ kind: 'stop-kafka', forMs: 300 }, ['SIGSTOP queue', 'SIGCONT queue']],
    [{ kind: 'kill-worker', worker: 2, forMs: 300 }, ['SIGKILL worker 2', 'start worker 2']],
  ])('that suffers %o is back after its time', async (fault, done) => {
    const { server, said } = fakeServer();
    const faults = new ServerFaults([{ ...fault, atMs: 500 }], server, undefined, startMs);
    await vi.advanceTimersByTimeAsync(799);
    expect(said).toEqual(done.slice(0, done.length / 2));
    await vi.advanceTimersByTimeAsync(1);
    expect(said).toEqual(done);
    expect(faults.records).toEqual([{ kind: fault.kind, plannedMs: 500, atMs: 500, untilMs: 800 }]);
  });

  it.each([false, true])('sees its clock step back, unless all is gone: %s', async (gone) => {
    const { server, said } = fakeServer({ gone });
    const plan: FaultPlan = { kind: 'step-clock', back: 3_600_000, atMs: 500 };
    const faults = new ServerFaults([plan], server, undefined, startMs);
    await vi.advanceTimersByTimeAsync(2000);
    expect(said).toEqual(['step gateway clocks -3600000', 'step node clocks -3600000']);
    expect(faults.records).toMatchObject([{ kind: 'step-clock', ...(gone && { problem: 'the server is gone' }) }]);
  });

  it.each<ServerFaultDetails>([
    { kind: 'kill-redis', forMs: 300 },
    { kind: 'stop-redis', forMs: 300 },
    { kind: 'slow-redis', by: 2000, forMs: 300 },
    { kind: 'fail-over-redis', forMs: 300 },
  ])('that is a store which is not there suffers no %o, which the record says', async (fault) => {
    const { server } = fakeServer();
    const faults = new ServerFaults([{ ...fault, atMs: 500 }], { ...server, store: undefined }, undefined, startMs);
    await vi.advanceTimersByTimeAsync(2000);
    expect(faults.records).toMatchObject([{ problem: 'the server has no store' }]);
  });

  it.each<ServerFaultDetails>([
    { kind: 'kill-kafka', forMs: 300 },
    { kind: 'stop-kafka', forMs: 300 },
  ])('that is a queue which is not there suffers no %o, which the record says', async (fault) => {
    const { server } = fakeServer();
    const faults = new ServerFaults([{ ...fault, atMs: 500 }], { ...server, queue: undefined }, undefined, startMs);
    await vi.advanceTimersByTimeAsync(2000);
    expect(faults.records).toMatchObject([{ problem: 'the server hands nothing over' }]);
  });

  it('that is not there is said, and not started', async () => {
    const { server, said } = fakeServer({ gone: true });
    const plan: FaultPlan = { kind: 'kill-node', node: 3, forMs: 300, atMs: 500 };
    const faults = new ServerFaults([plan], server, undefined, startMs);
    await vi.advanceTimersByTimeAsync(2000);
    expect(said).toEqual(['SIGKILL node 3']);
    expect(faults.records).toMatchObject([{ problem: 'node 3 is gone' }]);
  });
});

it.each<[FaultPlan, object, object]>([
  [{ kind: 'stall-inference', forMs: 200, atMs: 0 }, { action: 'stall', ms: 200 }, { untilMs: expect.any(Number) }],
  [{ kind: 'kill-inference', atMs: 0 }, { action: 'kill' }, {}],
  [{ kind: 'fail-inference', atMs: 0 }, { action: 'fail' }, {}],
  [
    { kind: 'slow-inference', forMs: 200, times: 3, atMs: 0 },
    { action: 'slow', ms: 200, times: 3 },
    { untilMs: expect.any(Number) },
  ],
])('asks the server for %o', async (fault, asked, record) => {
  const bodies: unknown[] = [];
  const http = createServer((request, response) => {
    request.on('data', (chunk: Buffer) =>
      bodies.push({ token: request.headers.authorization, ...JSON.parse(`${chunk}`) }),
    );
    request.on('end', () => response.end());
  }).listen(0, '127.0.0.1');
  await once(http, 'listening');
  const url = `ws://127.0.0.1:${(http.address() as AddressInfo).port}/v1/stream`;
  const faults = new ServerFaults([fault], fakeServer({ url }).server, 'secret', Date.now());
  await vi.waitFor(() => expect(bodies).toEqual([{ token: 'Bearer secret', ...asked }]), 30_000);
  await vi.waitFor(() => expect(faults.records).toMatchObject([{ kind: fault.kind, ...record }]), 30_000);
  expect(faults.records[0]).not.toHaveProperty('problem');
  faults.stop();
  http.close();
});

type Service = NonNullable<ConstructorParameters<typeof ServerFaults>[1]>;

function fakeServer({ gone = false, url = '' } = {}): { server: Service; said: string[] } {
  const said: string[] = [];
  const replicas = (kind: string): Service['nodes'] => ({
    count: 4,
    signal: (place, signal) => {
      said.push(`${signal} ${kind} ${place}`);
      return gone ? `${kind} ${place} is gone` : undefined;
    },
    signalAll: (signal) => {
      said.push(`${signal} ${kind}s`);
      return !gone;
    },
    start: (place) => said.push(`start ${kind} ${place}`),
    stepClocks: (ms) => {
      said.push(`step ${kind} clocks ${ms}`);
      return !gone;
    },
  });
  const store: Service['store'] = {
    signal: (signal) => {
      said.push(`${signal} store`);
      return gone ? 'the store is gone' : undefined;
    },
    startAgain: () => said.push('start store'),
    delayAnswers: (ms) => {
      said.push(`answers ${ms} ms later`);
      return undefined;
    },
    cutReplica: async () => {
      said.push('cut replica');
      return undefined;
    },
    failOver: () => said.push('fail over'),
  };
  const queue: Service['queue'] = {
    signal: (signal) => {
      said.push(`${signal} queue`);
      return gone ? 'the Kafka is gone' : undefined;
    },
    startAgain: () => said.push('start queue'),
  };
  const certificates: Service['certificates'] = {
    expireSoon: () => said.push('certificates expire'),
    renew: () => said.push('certificates are renewed'),
  };
  return {
    server: {
      ...{ urls: [url], gateways: replicas('gateway'), nodes: replicas('node'), workers: replicas('worker') },
      ...{ zones: 2, certificates, store, queue },
    },
    said,
  };
}
