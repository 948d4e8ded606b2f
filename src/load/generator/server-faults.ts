import type { FaultRecord } from '../../results/fault-record.ts';
import type { FaultPlan } from '../plan/faults.ts';
import type { EmbeddedServer } from './embedded-server.ts';

/** The server's faults of a running test. */
export type ServerFaults = {
  /** What happened so far, in order of time. */
  records: readonly FaultRecord[];
  /** No more of them; a server that was stopped goes on. */
  stop(): void;
};

/**
 * Makes the embedded server suffer its faults at their times since `startAtEpochMs` (wall clock). Without an embedded
 * server they do not happen, and the records say so.
 */
export function startServerFaults(
  faults: readonly FaultPlan[],
  server: EmbeddedServer | undefined,
  token: string | undefined,
  startAtEpochMs: number,
): ServerFaults {
  const records: FaultRecord[] = [];
  const timers = new Set<NodeJS.Timeout>();
  const sinceStart = () => Date.now() - startAtEpochMs;
  const later = (ms: number, then: () => void) => {
    const timer = setTimeout(() => {
      timers.delete(timer);
      then();
    }, ms);
    timers.add(timer);
  };
  const inject = (fault: ServerFaultPlan) => {
    const record: FaultRecord = { kind: fault.kind, plannedMs: fault.atMs, atMs: sinceStart() };
    records.push(record);
    if (!server) {
      record.problem = 'the server is not one that this test started';
    } else if (fault.kind === 'stop-server') {
      if (!server.pause()) record.problem = 'the server is gone';
      else {
        later(fault.forMs, () => {
          server.resume();
          record.untilMs = sinceStart();
        });
      }
    } else {
      post(server.url, token, fault).then((problem) => {
        if (problem !== undefined) record.problem = problem;
        else if (fault.kind === 'stall-inference') record.untilMs = record.atMs + fault.forMs;
      });
    }
  };
  for (const fault of faults) if (isServerFault(fault)) later(fault.atMs - sinceStart(), () => inject(fault));
  return {
    records,
    stop() {
      for (const timer of timers) clearTimeout(timer);
      if (records.some(({ kind, untilMs, problem }) => kind === 'stop-server' && untilMs === undefined && !problem)) {
        server?.resume();
      }
    },
  };
}

type ServerFaultPlan = Exclude<FaultPlan, { kind: 'reconnect' | 'cut-network' }>;

function isServerFault(fault: FaultPlan): fault is ServerFaultPlan {
  return fault.kind !== 'reconnect' && fault.kind !== 'cut-network';
}

/** Asks the server to hurt its inference worker; what kept it from doing so, or undefined. */
async function post(
  streamUrl: string,
  token: string | undefined,
  fault: Exclude<ServerFaultPlan, { kind: 'stop-server' }>,
): Promise<string | undefined> {
  const url = new URL('/faults/inference', streamUrl.replace(/^ws/, 'http'));
  const action = fault.kind === 'kill-inference' ? { action: 'kill' } : { action: 'stall', ms: fault.forMs };
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
