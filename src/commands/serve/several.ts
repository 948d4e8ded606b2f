import { loadModelPackage } from '../../acoustic/model/load-model.ts';
import type { ExitCode } from '../../errors.ts';
import { launchGateway } from '../../server/cluster/launch.ts';
import { Supervisor } from '../../server/cluster/supervisor.ts';
import { policyOf } from '../../server/gateway/server-options.ts';
import { LimitBook } from '../../server/limit-book.ts';
import { defaultLimits } from '../../server/limits.ts';
import { openStore } from '../../stores/redis/open-store.ts';
import { createLog } from '../../telemetry/log.ts';
import { workerUrl } from '../../threads/worker-url.ts';
import { packageVersion, shippedPath } from '../package.ts';
import { Admin, type AdminSettings } from './admin.ts';
import { supervisorTarget } from './admin-targets.ts';
import { firstGuess, readDeviceCurve } from './curve.ts';
import type { GatewayConfig } from './gateway.ts';
import { sayReady } from './ready.ts';
import { Reloads } from './reloads.ts';
import { type ServeSettings, tokensOf, warn } from './settings.ts';
import { drainedUnless, listenForSignals } from './signals.ts';
import { followTenants, tenantsOf, tenantsTarget } from './tenants.ts';

export type SeveralOptions = {
  gateways: number;
  isEmbedded: boolean;
  admin: AdminSettings | undefined;
  onReady(url: string): void;
};

/** Serves with several gateways, each a process of its own, until a stop signal. */
export async function serveSeveral(
  settings: ServeSettings,
  { gateways, isEmbedded, admin: adminSettings, onReady }: SeveralOptions,
): Promise<ExitCode> {
  const log = createLog(settings.logLevel, process.stderr);
  const tokens = tokensOf(settings);
  const tenants = tenantsOf(settings, log);
  // The gateways would refuse the same, when the port is taken already.
  policyOf({ ...settings, tokens, tenants }, settings.host);
  const curve = curveOf(settings);
  const limits = { ...defaultLimits, ...firstGuess(curve), ...settings.limits };
  await using admin = await Admin.open(adminSettings, log);
  const book: LimitBook = new LimitBook(limits, (changed) => supervisor.takeLimits(changed));
  const script = workerUrl(import.meta.url, 'gateway-process.js');
  // Gateways keep their sessions there themselves.
  const store = tenants && openStore(settings.store, settings.role.region, log);
  const supervisor: Supervisor = new Supervisor({
    gateways,
    quicPort: settings.quicPort,
    launch: (gateway, { quicPort }) => {
      // One that starts later begins with what is in force.
      const now = {
        ...settings,
        quicPort: gateway === quicGateway ? quicPort : undefined,
        limits: { ...settings.limits, ...book.changed },
        tenants: settings.tenants && { ...settings.tenants, text: tenants?.text ?? '' },
      };
      return launchGateway(script, { settings: now, gateway, gateways } satisfies GatewayConfig);
    },
    limits,
    tokens: (tokens?.size ?? 0) + (tenants?.tenants.length ?? 0),
    host: settings.host,
    port: settings.port,
    isSecure: settings.tls !== undefined,
    log,
    caps: store?.parts.caps,
  });
  await supervisor.listen().catch(async (error) => {
    // What is open would keep the process.
    await store?.close();
    throw error;
  });
  // The gateways take up what was taken up, and audited, here.
  const reloads = new Reloads(log, admin.audit);
  followTenants(tenants, settings, reloads, (text) => supervisor.takeTenants(text));
  const seen = tenantsTarget(tenants, settings, supervisor);
  const parts = { supervisor, limits: book, version: packageVersion(), leave: admin.leave, tenants: seen };
  warn(settings, log);
  const signals = listenForSignals(isEmbedded, () => {
    reloads.now();
    supervisor.reload();
  });
  const stopped = Promise.race([signals.first, supervisor.failed, admin.left]);
  stopped.catch(() => {});
  try {
    await admin.listen(supervisorTarget(settings.role.role, parts));
    const warm = await Promise.race([supervisor.ready, stopped]);
    if (warm) {
      onReady(supervisor.url);
      sayReady(supervisor.url, warm, { log, curve });
    }
    await stopped;
    return await drainedUnless(signals, supervisor.drain(), (report) => log.info(report, 'drained'));
  } finally {
    signals.stop();
    reloads.close();
    await supervisor.close();
    await store?.close();
  }
}

/** The gateway that has the UDP port, whose datagrams no process can share with another. */
const quicGateway = 1;

function curveOf({ curve, model }: ServeSettings): ReturnType<typeof readDeviceCurve> | undefined {
  if (curve === undefined) return undefined;
  return readDeviceCurve(curve, loadModelPackage(model ?? shippedPath('models/en-learner')));
}
