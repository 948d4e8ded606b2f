import { setFlagsFromString } from 'node:v8';
import { usableCores } from '../../usable-cores.ts';

/**
 * Up to so many cores the server's own threads (sockets, model, scoring) leave none for helpers of
 * the collector.
 */
const fewCores = 3;

/**
 * On few cores, lets each thread collect its own young garbage: V8's helpers would take the cores
 * from the threads that wait for them. 200 sessions on two cores: p95 of the latency that the
 * server adds 105 to 84 ms (bench/serve.ts, means of three runs). V8 reads this flag at each
 * collection; those of concurrent marking must not change while a program runs.
 */
export function collectOnOwnThread(cores = usableCores()): void {
  if (cores <= fewCores) setFlagsFromString('--no-parallel-scavenge');
}
