import { writeSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { setFlagsFromString } from 'node:v8';
import type { AcousticEngine } from '../../acoustic/engine/types.ts';
import { loadModelPackage } from '../../acoustic/model/load-model.ts';
import { installNative } from '../../acoustic/onnx/runtime.ts';
import { type ExitCode, exitCodes, SpeechfbError } from '../../errors.ts';
import { encodeServerUpdate, type ServerUpdate } from '../../load/generator/server-updates.ts';
import { plainText } from '../../plain-text.ts';
import { hostName, isLoopback } from '../../server/admission/exposure.ts';
import { readTokenFile } from '../../server/admission/tokens.ts';
import { faultsPath } from '../../server/gateway/faults.ts';
import { type RunningServer, type ServerOptions, startServer } from '../../server/gateway/server.ts';
import type { Limits } from '../../server/limits.ts';
import { createLog, type Log } from '../../telemetry/log.ts';
import type { LogLevel } from '../../telemetry/log-levels.ts';
import { toPlainError } from '../../threads/plain-error.ts';
import { printDocument } from '../output.ts';
import { packageVersion, shippedPath } from '../package.ts';
import { type CurveFlags, checkCurveFlags, type DeviceCurve, firstGuess, readDeviceCurve } from './curve.ts';
import { checkLimits } from './limit-flag.ts';
import { type RoleFlags, readPem, servedEngine } from './roles.ts';
import { runNode } from './run-node.ts';
import { defer, listenForSignals } from './signals.ts';

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
} & RoleFlags &
  CurveFlags;

/**
 * Serves until a stop signal, then drains; a second one ends it at once. When the model is warm,
 * one line on stdout says where: `speechfb: ready at ws://127.0.0.1:8090/v1/stream (...)`. A load
 * test that started it is told on their pipe.
 */
export async function runServe(flags: ServeFlags): Promise<ExitCode> {
  const { parentFd } = flags;
  const run = flags.role === 'inference' ? runNode : serve;
  if (parentFd === undefined) return await run(flags, () => {});
  const report = (update: ServerUpdate) => writeSync(parentFd, encodeServerUpdate(update));
  try {
    return await run(flags, (url) => report({ type: 'ready', url }));
  } catch (error) {
    report({ type: 'failed', error: toPlainError(error) });
    throw error;
  }
}

async function serve(flags: ServeFlags, onReady: (url: string) => void): Promise<ExitCode> {
  checkCurveFlags(flags);
  collectOnOwnThread();
  const log = createLog(flags.logLevel, process.stderr);
  const model = loadModelPackage(flags.model ?? shippedPath('models/en-learner'));
  const curve = flags.curve === undefined ? undefined : readDeviceCurve(flags.curve, model);
  const engine = servedEngine({ ...flags, tuning: curve?.tuning }, model, log);
  const warming = defer<AcousticEngine>();
  const server = await startServer({
    engine: warming.promise,
    scoring: engine.scoring,
    slots: engine.slots,
    log,
    version: packageVersion(),
    host: flags.host,
    port: flags.port,
    limits: { ...firstGuess(curve), ...limitsOf(flags) },
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
  const loading = engine.load();
  warming.resolve(loading);
  const signals = listenForSignals(flags.parentFd !== undefined);
  const stopped = Promise.race([signals.first, engine.died]);
  stopped.catch(() => {});
  try {
    await Promise.race([server.ready, stopped]);
    if (!signals.came()) await sayReady(server, loading, { log, onReady, curve });
    await stopped;
    const drained = server.drain().then((report) => {
      log.info(report, 'drained');
      return exitCodes.pass;
    });
    return await Promise.race([drained, signals.second.then(() => exitCodes.interrupted)]);
  } finally {
    signals.stop();
    await server.close();
    await engine.close();
  }
}

async function sayReady(
  server: RunningServer,
  loading: Promise<AcousticEngine>,
  { log, onReady, curve }: { log: Log; onReady: (url: string) => void; curve: DeviceCurve | undefined },
): Promise<void> {
  const { model, provider, whyNotNative } = await loading;
  if (whyNotNative !== undefined) log.warn({ whyNotNative, hint: installNative }, 'the model runs as WebAssembly');
  if (curve && curve.tuning.device !== provider) {
    log.warn({ curve: curve.tuning.device, provider }, 'the curve is of another device and says nothing of this one');
  }
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
