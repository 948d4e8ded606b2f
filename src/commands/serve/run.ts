import { readFileSync, writeSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { isatty } from 'node:tty';
import { setFlagsFromString } from 'node:v8';
import type { AcousticEngine, LostDevice } from '../../acoustic/engine/types.ts';
import { loadModelPackage } from '../../acoustic/model/load-model.ts';
import { parseDevice } from '../../acoustic/onnx/device.ts';
import { installNative } from '../../acoustic/onnx/runtime.ts';
import { createWorkerEngine } from '../../acoustic/worker/worker-engine.ts';
import { type ExitCode, exitCodes, SpeechfbError } from '../../errors.ts';
import { encodeServerUpdate, type ServerUpdate } from '../../load/generator/server-updates.ts';
import { plainText } from '../../plain-text.ts';
import { ScoringThreads } from '../../scoring/threads/pool.ts';
import { hostName, isLoopback } from '../../server/admission/exposure.ts';
import { readTokenFile } from '../../server/admission/tokens.ts';
import { faultsPath } from '../../server/gateway/faults.ts';
import { type RunningServer, type ServerOptions, startServer } from '../../server/gateway/server.ts';
import type { Limits } from '../../server/limits.ts';
import type { Scoring } from '../../server/session/context.ts';
import { createLog, type Log } from '../../telemetry/log.ts';
import type { LogLevel } from '../../telemetry/log-levels.ts';
import { Exchange } from '../../threads/exchange.ts';
import { toPlainError } from '../../threads/plain-error.ts';
import { stopSignals } from '../interruption.ts';
import { printDocument } from '../output.ts';
import { packageVersion, shippedPath } from '../package.ts';
import { checkLimits } from './limit-flag.ts';

export type ServeFlags = {
  host: string;
  port: number;
  model?: string;
  device: string;
  tokenFile?: string;
  tlsCert?: string;
  tlsKey?: string;
  allowOrigin?: string[];
  allowHost?: string[];
  trustProxy?: number;
  maxSessions?: number;
  resumeTtl?: number;
  drain?: number;
  limit: Partial<Limits>;
  faultInjection?: true;
  logLevel: LogLevel;
  parentFd?: number;
};

/**
 * Serves until a stop signal, then drains; a second one ends it at once. When the model is warm,
 * one line on stdout says where: `speechfb: ready at ws://127.0.0.1:8090/v1/stream (...)`. A load
 * test that started it is told on their pipe.
 */
export async function runServe(flags: ServeFlags): Promise<ExitCode> {
  const { parentFd } = flags;
  if (parentFd === undefined) return await serve(flags, () => {});
  const report = (update: ServerUpdate) => writeSync(parentFd, encodeServerUpdate(update));
  try {
    return await serve(flags, (url) => report({ type: 'ready', url }));
  } catch (error) {
    report({ type: 'failed', error: toPlainError(error) });
    throw error;
  }
}

async function serve(flags: ServeFlags, onReady: (url: string) => void): Promise<ExitCode> {
  collectOnOwnThread();
  const log = createLog(flags.logLevel, process.stderr);
  const model = loadModelPackage(flags.model ?? shippedPath('models/en-learner'));
  const device = parseDevice(flags.device);
  const warming = defer<AcousticEngine>();
  // One round of mail for the model's thread and those that score.
  const exchange = new Exchange();
  const scoring = new ScoringThreads({
    model,
    exchange,
    onCrash: (error) => log.error({ error: error.message }, 'a scoring thread died'),
  });
  const died = defer<never>();
  const server = await startServer({
    engine: warming.promise,
    scoring: liveScoring(scoring),
    log,
    version: packageVersion(),
    host: flags.host,
    port: flags.port,
    limits: limitsOf(flags),
    tokens: flags.tokenFile === undefined ? undefined : readTokenFile(flags.tokenFile),
    tls: readTls(flags.tlsCert, flags.tlsKey),
    origins: flags.allowOrigin ?? [],
    hosts: (flags.allowHost ?? []).map(parseHost),
    trustedProxies: flags.trustProxy ?? 0,
    faultInjection: flags.faultInjection === true,
  });
  if (flags.faultInjection) log.warn({ faults: faultsPath }, 'programs on this machine may stall or kill the model');
  if (!isLoopback(flags.host) && flags.tlsCert === undefined) {
    log.warn({ host: flags.host }, 'voices and tokens travel unencrypted unless TLS ends in front of this server');
  }
  const onCrash = (error: Error, restarted: boolean): void => {
    log.error({ error: error.message, restarted }, 'the model thread died');
    if (!restarted) died.reject(error);
  };
  const onLoss = (lost: LostDevice): void => {
    log.error({ ...lost, provider: 'cpu' }, 'the device of the model was lost, the CPU goes on');
  };
  // The port is known to be ours by now: only then is the model worth loading.
  const loading = createWorkerEngine({ model, device, exchange, onCrash, onLoss });
  warming.resolve(loading);
  const signals = listenForSignals(flags.parentFd !== undefined);
  const stopped = Promise.race([signals.first, died.promise]);
  stopped.catch(() => {});
  try {
    await Promise.race([server.ready, stopped]);
    if (!signals.came()) await sayReady(server, loading, { log, onReady });
    await stopped;
    const drained = server.drain().then((report) => {
      log.info(report, 'drained');
      return exitCodes.pass;
    });
    return await Promise.race([drained, signals.second.then(() => exitCodes.interrupted)]);
  } finally {
    signals.stop();
    await server.close();
    // While the model still warms up there is nothing to wait for: its thread ends with the
    // process.
    await loading.then((engine) => engine.close()).catch(() => {});
    await scoring.close();
  }
}

/** The scoring that `speechfb score` runs too, on its threads. */
export function liveScoring(threads: ScoringThreads): Scoring {
  return {
    readReference: (source, mostPhones) => threads.readReference(source, mostPhones),
    openUtterance: threads.openUtterance,
    stats: () => threads.stats(),
    tidy: () => threads.tidy(),
  };
}

async function sayReady(
  server: RunningServer,
  loading: Promise<AcousticEngine>,
  { log, onReady }: { log: Log; onReady: (url: string) => void },
): Promise<void> {
  const { model, provider, whyNotNative } = await loading;
  if (whyNotNative !== undefined) log.warn({ whyNotNative, hint: installNative }, 'the model runs as WebAssembly');
  onReady(server.url);
  const { name, version: modelVersion } = model;
  printDocument(`${plainText(`speechfb: ready at ${server.url} (${name} ${modelVersion} on ${provider})`)}\n`);
}

function limitsOf({ limit, maxSessions, resumeTtl, drain }: ServeFlags): Partial<Limits> {
  const limits = {
    ...limit,
    ...(maxSessions === undefined ? {} : { maxSessions }),
    ...(resumeTtl === undefined ? {} : { resumeTtlMs: resumeTtl }),
    ...(drain === undefined ? {} : { drainMs: drain }),
  };
  checkLimits(limits);
  return limits;
}

function parseHost(given: string): string {
  const name = hostName(given);
  if (name !== undefined) return name;
  throw new SpeechfbError('bad_flag', `--allow-host "${given}" is not the name of a host, as class.example`);
}

function readTls(cert: string | undefined, key: string | undefined): ServerOptions['tls'] {
  if (cert === undefined && key === undefined) return undefined;
  if (cert === undefined || key === undefined) {
    const [given, missing] = cert === undefined ? ['--tls-key', '--tls-cert'] : ['--tls-cert', '--tls-key'];
    throw new SpeechfbError('bad_tls', `${given} needs ${missing} beside it`);
  }
  return { certificate: readPem(cert), key: readPem(key) };
}

function readPem(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new SpeechfbError('bad_tls', `cannot read ${path}: ${String(cause)}`, { cause });
  }
}

type Signals = { first: Promise<void>; second: Promise<void>; came(): boolean; stop(): void };

/**
 * Listens for the signals that stop the server; the others no longer end it. `embedded`: a load
 * test started it.
 */
function listenForSignals(embedded: boolean): Signals {
  const first = defer<void>();
  const second = defer<void>();
  let count = 0;
  const onSignal = (): void => {
    count += 1;
    (count === 1 ? first : second).resolve();
  };
  const ignore = (): void => {};
  const heeded = embedded ? ['SIGTERM'] : stopSignals.filter((signal) => signal !== 'SIGHUP' || hasTerminal());
  const listeners = stopSignals.map((signal) => [signal, heeded.includes(signal) ? onSignal : ignore] as const);
  for (const [signal, listener] of listeners) process.on(signal, listener);
  return {
    first: first.promise,
    second: second.promise,
    came: () => count > 0,
    stop() {
      for (const [signal, listener] of listeners) process.off(signal, listener);
    },
  };
}

/**
 * Without a terminal (nohup, a daemon) nothing hangs up; Node forgets that nohup had SIGHUP
 * ignored.
 */
function hasTerminal(): boolean {
  return [0, 1, 2].some((fd) => isatty(fd));
}

type Deferred<Value> = {
  promise: Promise<Value>;
  resolve(value: Value | Promise<Value>): void;
  reject(error: Error): void;
};

function defer<Value>(): Deferred<Value> {
  let settle: Pick<Deferred<Value>, 'resolve' | 'reject'> | undefined;
  const promise = new Promise<Value>((resolve, reject) => {
    settle = { resolve, reject };
  });
  return { promise, ...settle! };
}

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
function collectOnOwnThread(): void {
  if (availableParallelism() <= fewCores) setFlagsFromString('--no-parallel-scavenge');
}
