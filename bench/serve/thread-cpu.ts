import { readdirSync, readFileSync } from 'node:fs';

/** Where a server's CPU time goes: the thread that owns the sockets, the workers, V8's helpers. */
export const serverThreads = ['sockets', 'inference', 'scoring', 'rest'] as const;
type ThreadCpu = Record<(typeof serverThreads)[number], number>;

/** What a second of one live stream cost, CPU ms by thread. */
export type StreamSecond = ThreadCpu | undefined;

/**
 * Looks at a server from `fromMs` to `toMs` after the call, when nobody comes any more and nobody
 * goes; sessions are those that stream then.
 */
export async function steadyCost(
  server: { pid: number; url: string },
  fromMs: number,
  toMs: number,
): Promise<StreamSecond> {
  const startedMs = performance.now();
  await until(startedMs + fromMs);
  const first = await look(server);
  await until(startedMs + toMs);
  const last = await look(server);
  if (!first.cpu || !last.cpu) return undefined;
  const streamSeconds = (((first.streaming + last.streaming) / 2) * (last.atMs - first.atMs)) / 1000;
  const cost = { ...last.cpu };
  for (const thread of serverThreads) cost[thread] = (last.cpu[thread] - first.cpu[thread]) / streamSeconds;
  return cost;
}

async function look({ pid, url }: { pid: number; url: string }) {
  const metrics = new URL('/metrics', url.replace(/^ws/, 'http'));
  const text = await (await fetch(metrics)).text();
  const streaming = Number(/^speechfb_sessions\{state="streaming"\} (\d+)/m.exec(text)?.[1] ?? 0);
  return { streaming, cpu: readThreadCpu(pid), atMs: performance.now() };
}

function until(atMs: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, atMs - performance.now());
  });
}

/**
 * CPU milliseconds that each kind of thread of a server has had; Linux only, elsewhere undefined.
 * A worker is told by the name that it gave itself, the sockets' thread by the process's id.
 */
function readThreadCpu(pid: number): ThreadCpu | undefined {
  const spent: ThreadCpu = { sockets: 0, inference: 0, scoring: 0, rest: 0 };
  try {
    for (const thread of readdirSync(`/proc/${pid}/task`)) {
      const folder = `/proc/${pid}/task/${thread}`;
      const name = readFileSync(`${folder}/comm`, 'utf8').trim();
      const kind = Number(thread) === pid ? 'sockets' : (kinds[name] ?? 'rest');
      spent[kind] += Number(readFileSync(`${folder}/schedstat`, 'utf8').split(' ')[0]) / 1e6;
    }
  } catch {
    return undefined;
  }
  return spent;
}

const kinds: Record<string, keyof ThreadCpu> = { 'speechfb-model': 'inference', 'speechfb-score': 'scoring' };
