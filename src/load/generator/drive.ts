import { availableParallelism } from 'node:os';
import { mergeFaultRecords } from '../../results/fault-record.ts';
import type { ShardResult } from '../../results/merge-results.ts';
import type { EmbeddedServer } from './embedded-server.ts';
import type { ShardHooks, ShardTask } from './generator.ts';
import { generatorCount, runGenerators } from './pool.ts';
import { type ServerFaults, startServerFaults } from './server-faults.ts';

/**
 * Drives one machine's share of a test: its learners, from as many processes as it wants and cores are free (or
 * `generators`), and what is done to the embedded server meanwhile.
 */
export async function driveLoad(
  task: ShardTask,
  server: EmbeddedServer | undefined,
  hooks: ShardHooks,
  generators = generatorCount(task.plans.length, availableParallelism(), server !== undefined),
): Promise<ShardResult> {
  let serverFaults: ServerFaults | undefined;
  const onStart = (startAtEpochMs: number) => {
    serverFaults = startServerFaults(task.faults, server, task.token, startAtEpochMs);
  };
  const result = await runGenerators(task, { ...hooks, onStart }, generators);
  serverFaults?.stop();
  return { ...result, faults: mergeFaultRecords([...result.faults, ...(serverFaults?.records ?? [])]) };
}
