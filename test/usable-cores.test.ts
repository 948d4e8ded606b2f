import { availableParallelism } from 'node:os';
import { expect, it } from 'vitest';
import { allowedCores, groupUsedMs, quotaCores, threadsFor, usableCores } from '../src/usable-cores.ts';

/** A system with these files in its folder of groups, and no others. */
const system = (files: Record<string, string>) => (path: string) => files[path.replace('/sys/fs/cgroup/', '')];

it.each<[string, Record<string, string>, number, cores: number, whole: number]>([
  ['no quota leaves all that the system gives', {}, 64, 64, 64],
  ['a quota of two cores on a host of 64', { 'cpu.max': '200000 100000\n' }, 64, 2, 2],
  ['a quota of one core and a half', { 'cpu.max': '150000 100000\n' }, 64, 1.5, 1],
  ['a quota of half a core: a thread is whole', { 'cpu.max': '50000 100000\n' }, 2, 0.5, 1],
  ['a quota beyond what the affinity leaves', { 'cpu.max': '800000 100000\n' }, 4, 4, 4],
])('a process may use %s', (_, files, parallelism, cores, whole) => {
  const usable = usableCores(system(files), parallelism);
  expect([usable, threadsFor(usable)]).toEqual([cores, whole]);
});

it('this process may use no more than the system says', () => {
  expect(usableCores()).toBeGreaterThan(0);
  expect(usableCores()).toBeLessThanOrEqual(availableParallelism());
});

it.each([
  ['', undefined],
  ['0', [0]],
  ['0-2,5', [0, 1, 2, 5]],
])('a process may use the cores of the list "%s"', (list, cores) => {
  expect(allowedCores(list)).toEqual(cores && new Set(cores));
});

it.each<[string, Record<string, string>, number | undefined]>([
  ['no controller', {}, undefined],
  ['version 2 without a quota', { 'cpu.max': 'max 100000\n' }, undefined],
  ['version 2', { 'cpu.max': '150000 100000\n' }, 1.5],
  ['version 1 without a quota', { 'cpu/cpu.cfs_quota_us': '-1\n', 'cpu/cpu.cfs_period_us': '100000\n' }, undefined],
  ['version 1', { 'cpu/cpu.cfs_quota_us': '50000\n', 'cpu/cpu.cfs_period_us': '100000\n' }, 0.5],
])('the quota of a container: %s', (_, files, cores) => {
  expect(quotaCores(system(files))).toBe(cores);
});

it.each<[string, Record<string, string>, number | undefined]>([
  ['no controller', {}, undefined],
  ['version 2', { 'cpu.stat': 'usage_usec 2500000\nuser_usec 2000000\nsystem_usec 500000\n' }, 2500],
  ['version 2 without its time', { 'cpu.stat': 'nr_periods 0\n' }, undefined],
  ['version 1', { 'cpuacct/cpuacct.usage': '2500000000\n' }, 2500],
])('what all processes of a container have used: %s', (_, files, usedMs) => {
  expect(groupUsedMs(system(files))).toBe(usedMs);
});
