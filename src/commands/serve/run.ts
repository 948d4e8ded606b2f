import type { AcousticEngine } from '../../acoustic/engine/types.ts';
import type { ModelPackage } from '../../acoustic/model/model-package.ts';
import { type ExitCode, SpeechfbError } from '../../errors.ts';
import type { Warm } from '../../server/cluster/messages.ts';
import { gatewaysFor } from '../../server/cluster/shares.ts';
import { hasSpareRoom } from '../../server/gateway/outside/spare-room.ts';
import { type RunningServer, type ServerOptions, startServer } from '../../server/gateway/server.ts';
import { LimitBook } from '../../server/limit-book.ts';
import { defaultLimits } from '../../server/limits.ts';
import { openStore } from '../../stores/redis/open-store.ts';
import { createLog } from '../../telemetry/log.ts';
import { defer } from '../../threads/defer.ts';
import { usableCores } from '../../usable-cores.ts';
import { openHandoff, staysInProcess } from '../handoff/open-handoff.ts';
import { reportingTo } from '../reporting-to.ts';
import { Admin, adminSettingsOf } from './admin.ts';
import { gatewayTarget } from './admin-targets.ts';
import { followCertificate } from './certificates.ts';
import { checkCurveFlags, firstGuess, readDeviceCurve } from './curve.ts';
import { collectOnOwnThread } from './few-cores.ts';
import { checkQuic } from './quic.ts';
import { sayReady, warmOf } from './ready.ts';
import { Reloads } from './reloads.ts';
import { ownModelOf, servedEngine } from './roles.ts';
import { checkRoutingRole } from './routing/flags.ts';
import { ServedRouting } from './routing/served-routing.ts';
import { runNode } from './run-node.ts';
import { type ServeFlags, type ServeSettings, serverOptionsOf, settingsOf, warn } from './settings.ts';
import { type SeveralOptions, serveSeveral } from './several.ts';
import { drainedUnless, listenForSignals } from './signals.ts';
import { followTenants, tenantsOf, tenantsTarget } from './tenants.ts';
import { openTracing } from './tracing.ts';

/**
 * Serves until a stop signal, then drains; a second one ends it at once. When the model is warm,
 * one line on stdout says where: `speechfb: ready at ws://127.0.0.1:8090/v1/stream (...)`. A load
 * test that started it is told on their pipe.
 */
export async function runServe(flags: ServeFlags): Promise<ExitCode> {
  const { parentFd } = flags;
  if (flags.role === 'inference' && flags.gateways !== undefined) {
    const hint = 'a node has no sockets: start several nodes instead';
    throw new SpeechfbError('bad_flag', '--gateways is not for --role inference', { hint });
  }
  if (flags.role !== 'all' && flags.handoff !== undefined) {
    const hint = 'use --kafka, and speechfb worker beside it';
    const message = `--handoff memory is not for --role ${flags.role}: sessions and their model are in one process`;
    throw new SpeechfbError('bad_flag', message, { hint });
  }
  checkRoutingRole(flags);
  await checkQuic(flags);
  const run = flags.role === 'inference' ? runNode : serve;
  return await reportingTo(parentFd, (onReady) => run(flags, onReady));
}

async function serve(flags: ServeFlags, onReady: (url: string) => void): Promise<ExitCode> {
  checkCurveFlags(flags);
  const settings = settingsOf(flags);
  const gateways = gatewaysOf(flags, settings);
  const options = { isEmbedded: flags.parentFd !== undefined, admin: adminSettingsOf(flags), onReady };
  return gateways > 1 ? await serveSeveral(settings, { ...options, gateways }) : await serveAlone(settings, options);
}

/** @throws SpeechfbError `bad_flag` where what is handed over would stay at one of several. */
function gatewaysOf({ gateways }: ServeFlags, settings: ServeSettings): number {
  if (!staysInProcess(settings)) return gateways ?? gatewaysFor(usableCores());
  if (gateways === undefined || gateways === 1) return 1;
  const message = `--handoff memory keeps results in one process, and --gateways ${gateways} has several`;
  throw new SpeechfbError('bad_flag', message, {
    hint: 'add --store redis://host:port/0 for the results, or take one',
  });
}

async function serveAlone(
  settings: ServeSettings,
  { isEmbedded, admin: adminSettings, onReady }: Omit<SeveralOptions, 'gateways'>,
): Promise<ExitCode> {
  collectOnOwnThread();
  const log = createLog(settings.logLevel, process.stderr);
  const { folder, model } = ownModelOf(settings);
  const curve = settings.curve === undefined ? undefined : readDeviceCurve(settings.curve, model);
  await using admin = await Admin.open(adminSettings, log);
  await using tracing = await openTracing(settings.tracing, log);
  const engine = servedEngine({ ...settings.role, tuning: curve?.tuning, tracing }, model, log);
  const options = serverOptionsOf(settings);
  const tenants = tenantsOf(settings, log);
  const own = { model, folder, scoring: engine.scoring };
  const beside = (other: ModelPackage) => servedEngine({ ...settings.role, tracing }, other, log);
  const limitsInForce = { ...defaultLimits, ...firstGuess(curve), ...options.limits };
  const place = { log, own, start: beside, gateways: 1, limits: limitsInForce, audit: admin.audit, tenants };
  await using routing = await ServedRouting.open(settings, place);
  const warming = defer<AcousticEngine>();
  const store = openStore(settings.store, settings.role.region, log, tracing);
  const handoff = openHandoff({ ...settings, region: settings.role.region }, log, tracing);
  const start = {
    ...{ ...options, tenants, limitsInForce },
    routing,
    engine: warming.promise,
    ...{ scoring: engine.scoring, slots: engine.slots, nodes: engine.nodes, tracing, log },
    ...{ ...store?.parts, late: handoff?.late },
  };
  const closeStores = (ms: number): Promise<unknown> => Promise.all([handoff?.close(ms), store?.close()]);
  const server = await startOrClose(start, async () => void (await closeStores(0)));
  let warmed: Warm | undefined;
  const book = new LimitBook(limitsInForce);
  const served = { server, limits: book, version: options.version, warm: () => warmed, leave: admin.leave };
  const parts = { ...served, tenants: tenantsTarget(tenants, settings, server), policies: routing?.desk };
  warn(settings, log);
  const reloads = new Reloads(log, admin.audit);
  followTenants(tenants, settings, reloads);
  routing?.follow(server.router, reloads);
  followCertificate(server, settings, reloads, log);
  engine.followTls?.(reloads);
  // The port is known to be ours by now: only then is the model worth loading.
  const loading = routing ? routing.load(engine.load()) : engine.load();
  warming.resolve(loading);
  handoff?.work(loading, engine.scoring, () => hasSpareRoom(server.view(), limitsInForce));
  const signals = listenForSignals(isEmbedded, () => reloads.now());
  const stopped = Promise.race([signals.first, engine.died, admin.left]);
  stopped.catch(() => {});
  try {
    await admin.listen(gatewayTarget(settings.role.role, parts));
    await Promise.race([server.ready, stopped]);
    if (!signals.came() && !admin.hasLeft) {
      warmed = warmOf(await loading);
      onReady(server.url);
      sayReady(server.url, warmed, { log, curve });
    }
    await stopped;
    return await drainedUnless(signals, server.drain(), (report) => log.info(report, 'drained'));
  } finally {
    signals.stop();
    reloads.close();
    await server.close();
    await closeStores(limitsInForce.drainMs);
    await engine.close();
  }
}

async function startOrClose(options: ServerOptions, close: () => Promise<void>): Promise<RunningServer> {
  try {
    return await startServer(options);
  } catch (error) {
    // What is open would keep the process.
    await close();
    throw error;
  }
}
