import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { EmbeddedService } from '../../../src/load/generator/embedded-nodes.ts';
import { ServerFaults } from '../../../src/load/generator/server-faults.ts';
import type { FaultPlan } from '../../../src/load/plan/faults.ts';

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
    expect(said).toEqual(['pause']);
    await vi.advanceTimersByTimeAsync(300);
    expect(said).toEqual(['pause', 'resume']);
    expect(faults.records).toEqual([{ kind: 'stop-server', plannedMs: 500, atMs: 500, untilMs: 800 }]);
  });

  it('goes on when the test ends before, whichever of its stops is still open', async () => {
    const { server, said } = fakeServer();
    const faults = new ServerFaults(stops, server, undefined, startMs);
    await vi.advanceTimersByTimeAsync(850);
    expect(said).toEqual(['pause', 'pause', 'resume']);
    faults.stop();
    expect(said).toEqual(['pause', 'pause', 'resume', 'resume']);
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

describe('a node', () => {
  beforeEach(() => {
    vi.useFakeTimers({ now: startMs });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it.each<['kill-node' | 'stop-node' | 'drain-node', string[]]>([
    ['kill-node', ['SIGKILL 2', 'start 2']],
    ['stop-node', ['SIGSTOP 2', 'SIGCONT 2']],
    ['drain-node', ['SIGTERM 2', 'start 2']],
  ])('that suffers %s is back after its time', async (kind, done) => {
    const { server, said } = fakeServer();
    const faults = new ServerFaults([{ kind, node: 2, forMs: 300, atMs: 500 }], server, undefined, startMs);
    await vi.advanceTimersByTimeAsync(799);
    expect(said).toEqual(done.slice(0, 1));
    await vi.advanceTimersByTimeAsync(1);
    expect(said).toEqual(done);
    expect(faults.records).toEqual([{ kind, plannedMs: 500, atMs: 500, untilMs: 800 }]);
  });

  it('that is not there is said, and not started', async () => {
    const { server, said } = fakeServer({ gone: true });
    const plan: FaultPlan = { kind: 'kill-node', node: 3, forMs: 300, atMs: 500 };
    const faults = new ServerFaults([plan], server, undefined, startMs);
    await vi.advanceTimersByTimeAsync(2000);
    expect(said).toEqual(['SIGKILL 3']);
    expect(faults.records).toMatchObject([{ problem: 'node 3 is gone' }]);
  });
});

it.each<[FaultPlan, object, object]>([
  [{ kind: 'stall-inference', forMs: 200, atMs: 0 }, { action: 'stall', ms: 200 }, { untilMs: expect.any(Number) }],
  [{ kind: 'kill-inference', atMs: 0 }, { action: 'kill' }, {}],
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
  await vi.waitFor(() => expect(bodies).toEqual([{ token: 'Bearer secret', ...asked }]));
  await vi.waitFor(() => expect(faults.records).toMatchObject([{ kind: fault.kind, ...record }]));
  expect(faults.records[0]).not.toHaveProperty('problem');
  faults.stop();
  http.close();
});

function fakeServer({ gone = false, url = '' } = {}): { server: EmbeddedService; said: string[] } {
  const said: string[] = [];
  const say = (word: string) => () => {
    said.push(word);
    return !gone;
  };
  const server: EmbeddedService = {
    url,
    pid: 0,
    exited: Promise.resolve(0),
    stop: async () => {},
    pause: say('pause'),
    resume: say('resume'),
    nodes: {
      signal: (node, signal) => {
        said.push(`${signal} ${node}`);
        return gone ? `node ${node} is gone` : undefined;
      },
      start: (node) => said.push(`start ${node}`),
    },
  };
  return { server, said };
}
