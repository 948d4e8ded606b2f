import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

/** Rooms whose tests start no process, open no port and look at no clock: they share the cores. */
const together = [
  ...['audio', 'budget', 'capacity', 'clock', 'config', 'metrics', 'protocol'],
  ...['report', 'results', 'routing', 'sim', 'slo', 'stats'],
];
const filesOf = (rooms: readonly string[]) => rooms.map((room) => `test/${room}/**/*.test.{ts,tsx}`);
const pure = filesOf(together);
/** Rooms whose tests start servers, and hold whatever else the machine does: two at a time. */
const beside = [
  ...['acoustic', 'admin', 'audit', 'backends', 'client', 'deploy', 'dialects', 'flags', 'proxy', 'scoring', 'shadow'],
  ...['telemetry', 'threads', 'vendors', 'load/learner', 'load/meter', 'load/plan', 'load/scenario'],
  ...['server/admission', 'server/facade', 'server/hearing', 'server/overload', 'server/session', 'server/tenants'],
  ...['fuzz', 'handoff', 'queue', 'stores', 'trunk', 'server/durable', 'server/gateway', 'server/late'],
];
/** Tests of commands that judge what they measured, or take every core. */
const measuring = [
  ...['few-sessions.slow', 'loadtest-find-capacity', 'loadtest-real-server', 'serve-calibrate', 'webgpu.slow'],
];
const commands = `test/commands/!(${measuring.join('|')}).test.ts`;
const paired = [...filesOf(beside), 'test/*.test.ts', commands];
const all = 'test/**/*.test.{ts,tsx}';

export default defineConfig({
  test: {
    projects: [
      { extends: true, test: { name: 'together', include: pure, maxWorkers: '100%', sequence: { groupOrder: 0 } } },
      { extends: true, test: { name: 'paired', include: paired, maxWorkers: 2, sequence: { groupOrder: 1 } } },
      // Whatever measures, or breaks things on purpose, has the machine to itself, as far as it is one's own.
      {
        extends: true,
        test: {
          name: 'alone',
          include: [all],
          exclude: [...pure, ...paired],
          maxWorkers: 1,
          sequence: { groupOrder: 2 },
        },
      },
    ],
    // What ends a test that hangs, and no claim of speed: machines are slow, and busy with other things.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 30_000 } },
    // Draws the same examples each time.
    alias: [{ find: /^fast-check$/, replacement: fileURLToPath(new URL('test/kit/fast-check.ts', import.meta.url)) }],
    coverage: { include: ['src/**/*.{ts,tsx}'], reporter: ['text-summary', 'lcovonly'] },
  },
});
