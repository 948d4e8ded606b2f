import type { AcousticEngine } from '../../acoustic/engine/types.ts';
import { type GatewayChannel, SupervisorLink } from '../../server/cluster/link.ts';
import { coresOfOne, limitsOfOne } from '../../server/cluster/shares.ts';
import { hasSpareRoom } from '../../server/gateway/outside/spare-room.ts';
import { startServer } from '../../server/gateway/server.ts';
import { defaultLimits } from '../../server/limits.ts';
import { openStore } from '../../stores/redis/open-store.ts';
import { createLog, type Log, stackOf } from '../../telemetry/log.ts';
import { defer } from '../../threads/defer.ts';
import { toPlainError } from '../../threads/plain-error.ts';
import { usableCores } from '../../usable-cores.ts';
import { openHandoff } from '../handoff/open-handoff.ts';
import { followCertificate } from './certificates.ts';
import { firstGuess, readDeviceCurve } from './curve.ts';
import { collectOnOwnThread } from './few-cores.ts';
import { warmOf } from './ready.ts';
import { Reloads } from './reloads.ts';
import { ownModelOf, servedEngine } from './roles.ts';
import { ServedRouting } from './routing/served-routing.ts';
import { type ServeSettings, serverOptionsOf } from './settings.ts';
import { tenantsOf } from './tenants.ts';
import { openTracing } from './tracing.ts';

/** What a gateway's process is told to begin with. */
export type GatewayConfig = { settings: ServeSettings; gateway: number; gateways: number };

/**
 * Serves as one of several gateways until the supervisor lets it drain, or the model cannot go on.
 * What goes wrong is told to the supervisor.
 */
export async function runGateway(
  { settings, gateway, gateways }: GatewayConfig,
  channel: GatewayChannel,
): Promise<void> {
  const cores = coresOfOne(usableCores(), gateways);
  collectOnOwnThread(cores);
  const log = named(createLog(settings.logLevel, process.stderr), gateway);
  const reloads = new Reloads(log);
  const over = defer<void>();
  try {
    const { folder, model } = ownModelOf(settings);
    const curve = settings.curve === undefined ? undefined : readDeviceCurve(settings.curve, model);
    // What the supervisor says is heard from here on.
    const tenants = tenantsOf(settings, log);
    const options = serverOptionsOf(settings);
    const whole = { ...defaultLimits, ...firstGuess(curve), ...options.limits };
    const limits = limitsOfOne(whole, gateways);
    const link = new SupervisorLink({
      gateway,
      channel,
      onDrain: async () => await (await started).drain().finally(() => over.resolve()),
      onTrouble: (error) => log.error({ error: stackOf(error) }, 'what the supervisor asked for was not done'),
      onReload: () => reloads.now(),
      onTenants: (text) => tenants?.reload(text),
      onLimits: (changed) => void Object.assign(limits, limitsOfOne(Object.assign(whole, changed), gateways)),
    });
    await using tracing = await openTracing(settings.tracing, log);
    const beside = { ...settings.role, scoringThreads: scoringThreadsOf(cores), tracing };
    const served = servedEngine({ ...beside, tuning: curve?.tuning }, model, log);
    const warming = defer<AcousticEngine>();
    const store = openStore(settings.store, settings.role.region, log, tracing);
    const handoff = openHandoff({ ...settings, region: settings.role.region }, log, tracing);
    await using routing = await ServedRouting.open(settings, {
      ...{ log, gateways, limits, tenants, own: { model, folder, scoring: served.scoring } },
      start: (other) => servedEngine(beside, other, log),
    });
    served.followTls?.(reloads);
    const started = startServer({
      ...options,
      tenants,
      limitsInForce: limits,
      engine: warming.promise,
      ...{ scoring: served.scoring, slots: served.slots, nodes: served.nodes },
      store: store?.parts.store,
      routing,
      late: handoff?.late,
      tracing,
      log,
      supervision: link,
      cores,
    });
    const server = await started;
    routing?.follow(server.router, reloads);
    followCertificate(server, settings, reloads, log);
    const loading = routing ? routing.load(served.load()) : served.load();
    warming.resolve(loading);
    handoff?.work(loading, served.scoring, () => hasSpareRoom(server.view(), limits));
    loading.then((engine) => channel.send({ type: 'warm', model: warmOf(engine) }), over.reject);
    await Promise.race([over.promise, served.died]);
    link.close();
    await server.close();
    await handoff?.close(defaultLimits.drainMs);
    await store?.close();
    await served.close();
  } catch (error) {
    channel.send({ type: 'failed', error: toPlainError(error) });
    throw error;
  } finally {
    reloads.close();
  }
}

/** Says of each line which gateway says it. */
function named(log: Log, gateway: number): Log {
  return {
    info: (fields, message) => log.info({ gateway, ...fields }, message),
    warn: (fields, message) => log.warn({ gateway, ...fields }, message),
    error: (fields, message) => log.error({ gateway, ...fields }, message),
  };
}

/** A core for the sockets and one for the model are left, as in a server of one process. */
function scoringThreadsOf(cores: number): number {
  return Math.max(1, Math.min(4, cores - 2));
}
