import type { Server } from 'node:http';
import { hostname } from 'node:os';
import { loadModelPackage } from '../../acoustic/model/load-model.ts';
import type { ExitCode } from '../../errors.ts';
import { plainText } from '../../plain-text.ts';
import { defaultLimits } from '../../server/limits.ts';
import { createLog, type Log } from '../../telemetry/log.ts';
import type { LogLevel } from '../../telemetry/log-levels.ts';
import { DeletionCost } from '../../trunk/node/deletion-cost.ts';
import { type InferenceNode, startInferenceNode } from '../../trunk/node/inference-node.ts';
import { usableCores } from '../../usable-cores.ts';
import { printDocument } from '../output.ts';
import { packageVersion, shippedPath } from '../package.ts';
import { Admin, adminSettingsOf } from './admin.ts';
import { nodeTarget } from './admin-targets.ts';
import { type CurveFlags, checkCurveFlags, readDeviceCurve } from './curve.ts';
import { costTellerOf } from './deletion-cost.ts';
import type { AdminFlags } from './flags/admin-flags.ts';
import { parseListenAddress } from './flags/listen-address.ts';
import { type TracingFlags, tracingSettingsOf } from './flags/tracing-flags.ts';
import { listenNodeHttp } from './node-http.ts';
import { followNodeTls } from './node-tls.ts';
import { Reloads } from './reloads.ts';
import { checkClosed, checkRole, type RoleFlags, readNodeTls } from './roles.ts';
import { localEngine } from './served-engine.ts';
import { drainedUnless, listenForSignals } from './signals.ts';
import { openTracing } from './tracing.ts';

type NodeFlags = RoleFlags &
  CurveFlags &
  AdminFlags &
  TracingFlags & { model?: string; drain?: number; faultInjection?: boolean; logLevel: LogLevel; parentFd?: number };

/**
 * Scores for gateways until a stop signal, then lets its sessions move away; a second one ends it
 * at once. When the model is warm, one line on stdout says where gateways find it.
 */
export async function runNode(flags: NodeFlags, onReady: (address: string) => void): Promise<ExitCode> {
  checkRole(flags);
  checkCurveFlags(flags);
  const address = flags.nodeListen ?? defaultAddress;
  const httpAt = flags.httpListen === undefined ? undefined : parseListenAddress('--http-listen', flags.httpListen);
  const tls = readNodeTls(flags);
  if (!tls) checkClosed('--node-listen', address);
  const cost = flags.podDeletionCost;
  const tell = cost === undefined ? undefined : costTellerOf(cost, process.env);
  const traced = tracingSettingsOf(flags);
  const log = createLog(flags.logLevel, process.stderr);
  await using admin = await Admin.open(adminSettingsOf(flags), log);
  await using tracing = await openTracing(traced, log);
  const model = loadModelPackage(flags.model ?? shippedPath('models/en-learner'));
  const curve = flags.curve === undefined ? undefined : readDeviceCurve(flags.curve, model);
  const served = localEngine(model, { device: flags.device, tuning: curve?.tuning }, log);
  const reloads = new Reloads(log);
  const signals = listenForSignals(flags.parentFd !== undefined, () => reloads.now());
  const stopped = Promise.race([signals.first, served.died, admin.left]);
  stopped.catch(() => {});
  try {
    const engine = await served.load();
    const node = await startInferenceNode({
      engine,
      openUtterance: served.scoring.openUtterance,
      log,
      name: `${hostname()} ${process.pid}`,
      region: flags.region ?? '',
      slots: flags.slots ?? Math.max(1, Math.floor(defaultLimits.sessionsACore * usableCores())),
      leaseTtlMs,
      drainMs: flags.drain ?? defaultLimits.drainMs,
      address,
      tls,
      tracing,
    });
    const following = tls && followNodeTls(tls, { reloads, log, take: (renewed) => node.renewTls(renewed) });
    let http: Server | undefined;
    try {
      if (flags.faultInjection) followLeaseFault(node, log);
      const parts = { node, engine, scoring: served.scoring, tracing, log };
      await admin.listen(nodeTarget({ ...parts, version: packageVersion(), leave: admin.leave }));
      http = httpAt && (await listenNodeHttp(httpAt, parts));
      onReady(node.address);
      sayReady(node, `${model.name} ${model.version} on ${engine.provider}`);
      using _ = tell && new DeletionCost({ slots: () => node.slots(), tell, log, random: Math.random });
      await stopped;
      return await drainedUnless(signals, node.drain(), (report) => log.info(report, 'drained'));
    } finally {
      following?.close();
      // What still listens would keep a process that scores nothing.
      await node.close();
      http?.close();
    }
  } finally {
    reloads.close();
    signals.stop();
    await served.close();
  }
}

function sayReady(node: InferenceNode, model: string): void {
  const what = `${model}, ${node.slots().slots} slots`;
  printDocument(`${plainText(`speechfb: node ready at ${node.address} (${what})`)}\n`);
}

/** For load tests: each SIGUSR2 begins or ends that the node forgets its leases. */
function followLeaseFault(node: InferenceNode, log: Log): void {
  let isForgetful = false;
  process.on('SIGUSR2', () => {
    isForgetful = !isForgetful;
    node.forgetLeases(isForgetful);
    log.warn({ is_forgetful: isForgetful }, 'a load test had this node forget its leases, or keep them again');
  });
}

const defaultAddress = '127.0.0.1:8091';
const leaseTtlMs = 5000;
