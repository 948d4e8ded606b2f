import type { FaultRecord } from '../../results/fault-record.ts';
import type { FaultyServer } from '../fault/definition/definition.ts';
import { serverFault } from '../fault/index.ts';
import type { FaultPlan } from '../plan/faults.ts';
import type { EmbeddedService } from './service.ts';

/**
 * Applies its faults to the embedded server at their times since `startAtEpochMs` (wall clock).
 * Without an embedded server they do not happen, and the records say so.
 */
export class ServerFaults {
  /** What happened so far, in order of time. */
  readonly records: FaultRecord[] = [];
  readonly #server: FaultyServer | undefined;
  readonly #startAtEpochMs: number;
  readonly #timers = new Set<NodeJS.Timeout>();
  /** Ends of what goes on now. */
  readonly #toEnd = new Set<() => void>();

  constructor(
    faults: readonly FaultPlan[],
    server: BrokenService | undefined,
    token: string | undefined,
    startAtEpochMs: number,
  ) {
    this.#server = server && faultyServer(server, token);
    this.#startAtEpochMs = startAtEpochMs;
    for (const fault of faults)
      if (!('learners' in fault)) this.#later(fault.atMs - this.#sinceStartMs(), () => this.#inject(fault));
  }

  /** No more of them; what was to be ended later is ended now. */
  stop(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    for (const end of this.#toEnd) end();
  }

  #inject(fault: ServerFaultPlan): void {
    const record: FaultRecord = { kind: fault.kind, plannedMs: fault.atMs, atMs: this.#sinceStartMs() };
    this.records.push(record);
    const server = this.#server;
    if (!server) {
      record.problem = 'the server is not one that this test started';
      return;
    }
    serverFault(fault.kind)
      .inject(server, fault)
      .then((problem) => {
        if (problem !== undefined) record.problem = problem;
        else if ('forMs' in fault) this.#goesOn(fault, record, server);
      });
  }

  #goesOn(fault: Extract<ServerFaultPlan, { forMs: number }>, record: FaultRecord, server: FaultyServer): void {
    const { end } = serverFault(fault.kind);
    if (!end) {
      record.untilMs = record.atMs + fault.forMs;
      return;
    }
    const endNow = () => end(server, fault);
    this.#toEnd.add(endNow);
    this.#later(fault.forMs, () => {
      this.#toEnd.delete(endNow);
      endNow();
      record.untilMs = this.#sinceStartMs();
    });
  }

  #later(ms: number, then: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      then();
    }, ms);
    this.#timers.add(timer);
  }

  #sinceStartMs(): number {
    return Date.now() - this.#startAtEpochMs;
  }
}

/** What faults need of a service that the test has started. */
type BrokenService = Omit<FaultyServer, 'disturbInference'> & Pick<EmbeddedService, 'urls'>;

type ServerFaultPlan = Exclude<FaultPlan, { learners: readonly number[] }>;

function faultyServer(server: BrokenService, token: string | undefined): FaultyServer {
  return {
    gateways: server.gateways,
    nodes: server.nodes,
    workers: server.workers,
    zones: server.zones,
    certificates: server.certificates,
    store: server.store,
    queue: server.queue,
    disturbInference: (action) => post(server.urls[0]!, token, action),
  };
}

/**
 * Asks the server to hurt its inference worker; resolves to what kept it from doing so, or
 * undefined.
 */
async function post(streamUrl: string, token: string | undefined, action: object): Promise<string | undefined> {
  const url = new URL('/faults/inference', streamUrl.replace(/^ws/, 'http'));
  try {
    const answer = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(token !== undefined && { authorization: `Bearer ${token}` }) },
      body: JSON.stringify(action),
      signal: AbortSignal.timeout(5000),
    });
    return answer.ok ? undefined : `the server answered ${answer.status}: ${(await answer.text()).slice(0, 200)}`;
  } catch (error) {
    return `the server did not answer: ${(error as Error).message}`;
  }
}
