import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

type Work = { sessions: number; seconds: number; rampSeconds: number };

/** A load generator: how to run it on the work, and what it reports. */
export type Tool = {
  name: string;
  /** Why it cannot be run here; undefined when it can. */
  missing: string | undefined;
  /** It calls the server over gRPC, and not over a WebSocket. */
  overGrpc?: true;
  /** Against a server at `base`, ws://host:port or grpc://host:port. */
  command(base: string, work: Work): { file: string; args: string[]; env?: Record<string, string> };
  /** From what it printed on stdout, and wrote. */
  report(stdout: string): { frames: number; p99Ms: number };
};

const here = resolve('bench/load');

/** Protocols of others, and where the bench's server speaks them. */
const dialects = [
  ['deepgram', '/v1/listen'],
  ['openai-realtime', '/v1/realtime'],
  ['vosk', '/replies', 'protocols/vosk.yaml'],
  ['riva', '', 'protocols/riva.yaml'],
] as const;

/** speechfb's generator in the protocol of another; what does not say how far it heard has no p99. */
function dialectTool(name: string, path: string, protocol: string): Tool {
  return {
    name: `speechfb as ${name}`,
    missing: undefined,
    ...(name === 'riva' && { overGrpc: true }),
    command: (base, { sessions, seconds, rampSeconds }) => ({
      file: process.execPath,
      args: [
        'run/bench/bench/load/speechfb.js',
        ...['--url', `${base}${path}`, '--protocol', protocol, '--sessions', `${sessions}`],
        ...['--seconds', `${seconds + rampSeconds}`, '--ramp', `${rampSeconds}`],
      ],
    }),
    report: (stdout) => {
      const { frames, p99Ms } = JSON.parse(stdout.trim().split('\n').at(-1)!);
      return { frames, p99Ms: p99Ms ?? Number.NaN };
    },
  };
}

/** All of them; k6 and Artillery where they are found. */
export function tools(k6: string, artillery: string): Tool[] {
  const lastLine = (stdout: string) => JSON.parse(stdout.trim().split('\n').at(-1)!);
  const artilleryOut = join(tmpdir(), `speechfb-bench-artillery-${process.pid}.json`);
  return [
    {
      name: 'speechfb',
      missing: undefined,
      command: (base, { sessions, seconds, rampSeconds }) => ({
        file: process.execPath,
        args: [
          'run/bench/bench/load/speechfb.js',
          ...['--url', `${base}/v1/stream`, '--sessions', `${sessions}`],
          ...['--seconds', `${seconds + rampSeconds}`, '--ramp', `${rampSeconds}`],
        ],
      }),
      report: lastLine,
    },
    ...dialects.map(([name, path, protocol = name]) => dialectTool(name, path, protocol)),
    {
      name: 'plain ws',
      missing: undefined,
      command: (base, { sessions, seconds, rampSeconds }) => ({
        file: process.execPath,
        args: [join(here, 'ws.mjs'), `${base}/echo`, `${sessions}`, `${seconds}`, `${rampSeconds}`],
      }),
      report: lastLine,
    },
    {
      name: 'ws as speechfb.v1',
      missing: undefined,
      command: (base, { sessions, seconds, rampSeconds }) => ({
        file: process.execPath,
        args: [join(here, 'ws-protocol.mjs'), `${base}/v1/stream`, `${sessions}`, `${seconds}`, `${rampSeconds}`],
      }),
      report: lastLine,
    },
    {
      name: 'k6',
      missing: existsSync(k6) ? undefined : `no k6 at ${k6}`,
      command: (base, { sessions, seconds, rampSeconds }) => ({
        file: k6,
        args: ['run', '--quiet', '--no-usage-report', join(here, 'peers/k6.js')],
        env: { URL: `${base}/echo`, SESSIONS: `${sessions}`, SECONDS: `${seconds}`, RAMP: `${rampSeconds}` },
      }),
      report: lastLine,
    },
    {
      name: 'Artillery',
      missing: existsSync(artillery) ? undefined : `no Artillery at ${artillery}`,
      command: (base, work) => {
        const script = join(tmpdir(), `speechfb-bench-artillery-${process.pid}.yml.json`);
        writeFileSync(script, JSON.stringify(artilleryScript(`${base}/echo`, work)));
        return {
          file: artillery,
          args: ['run', '--quiet', '--output', artilleryOut, script],
          env: { SECONDS: `${work.seconds}`, ARTILLERY_DISABLE_TELEMETRY: 'true' },
        };
      },
      report: () => artilleryReport(artilleryOut),
    },
  ];
}

function artilleryScript(url: string, { sessions, rampSeconds }: Work): object {
  return {
    config: {
      target: url,
      processor: join(here, 'peers/artillery.cjs'),
      phases: [{ duration: Math.max(1, rampSeconds), arrivalCount: sessions }],
      ws: {},
    },
    scenarios: [{ engine: 'ws', flow: [{ function: 'speak' }] }],
  };
}

function artilleryReport(file: string): { frames: number; p99Ms: number } {
  const { aggregate } = JSON.parse(readFileSync(file, 'utf8'));
  return { frames: aggregate.counters.frames, p99Ms: aggregate.summaries.latency.p99 };
}
