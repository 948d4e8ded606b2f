import type { AcousticEngine } from '../../acoustic/engine/types.ts';
import type { AdminTarget, GatewayStatus, PolicyTarget, TargetStatus, TenantsTarget } from '../../admin/target.ts';
import { stalled } from '../../server/admission/admission.ts';
import type { Warm } from '../../server/cluster/messages.ts';
import type { Supervisor } from '../../server/cluster/supervisor.ts';
import type { GatewayView } from '../../server/gateway/outside/view.ts';
import type { RunningServer } from '../../server/gateway/server.ts';
import type { Scoring } from '../../server/hearing/local-model.ts';
import type { LimitBook } from '../../server/limit-book.ts';
import { defaultLimits } from '../../server/limits.ts';
import { nodesOnce } from '../../server/node-directory.ts';
import type { SlotNumbers } from '../../telemetry/slot-metrics.ts';
import type { InferenceNode } from '../../trunk/node/inference-node.ts';

type Common = {
  version: string;
  tenants?: TenantsTarget | undefined;
  policies?: PolicyTarget | undefined;
  leave(): void;
};

/** A server of one process. */
export function gatewayTarget(
  role: AdminTarget['role'],
  {
    server,
    limits,
    version,
    warm,
    tenants,
    policies,
    leave,
  }: Common & { server: RunningServer; limits: LimitBook; warm(): Warm | undefined },
): AdminTarget {
  return {
    role,
    version,
    status: async () => {
      const { standingMs: queueDelayMs, ...view } = server.view();
      return { ...view, queueDelayMs, model: modelOf(warm()), gateways: [] };
    },
    sessions: async () => server.sessions().map((session) => ({ ...session, gateway: undefined })),
    routing: async () => [server.view().routing ?? []].flat(),
    tenants,
    policies,
    policy: () => limits.values(),
    limits,
    open: () => server.stats().sessions,
    cordon: (isCordoned) => server.cordon(isCordoned),
    leave,
  };
}

/** A server of several processes. */
export function supervisorTarget(
  role: AdminTarget['role'],
  { supervisor, limits, version, tenants, leave }: Common & { supervisor: Supervisor; limits: LimitBook },
): AdminTarget {
  let warm: Warm | undefined;
  supervisor.ready.then(
    (model) => {
      warm = model;
    },
    () => {},
  );
  return {
    role,
    version,
    status: async () => {
      const { notReady, sessionLimit } = supervisor;
      return sumOf(await supervisor.views(), { notReady, sessionLimit, model: modelOf(warm) });
    },
    sessions: async () =>
      [...(await supervisor.sessions())].flatMap(([gateway, sessions]) =>
        sessions.map((session) => ({ ...session, gateway })),
      ),
    routing: async () => [...(await supervisor.views()).values()].flatMap((view) => view?.routing ?? []),
    tenants,
    policy: () => limits.values(),
    limits,
    open: () => supervisor.sessionCount,
    cordon: (isCordoned) => supervisor.cordon(isCordoned),
    leave,
  };
}

/** A node: it knows slots, and the gateways that have them. */
export function nodeTarget({
  node,
  engine,
  scoring,
  version,
  leave,
}: Common & { node: InferenceNode; engine: AcousticEngine; scoring: Scoring }): AdminTarget {
  const { name, version: modelVersion } = engine.model;
  return {
    role: 'inference',
    version,
    status: async () => ({
      notReady: node.isDraining ? 'draining' : stalled(engine.stats(), scoring.stats?.(), defaultLimits),
      model: { name, version: modelVersion, provider: engine.provider },
      queueDelayMs: engine.stats().stepP95Ms,
      slots: node.slots(),
      nodes: [],
      gateways: [],
    }),
    policy: () => ({ slots: node.slots().slots }),
    open: () => node.slots().slots - node.slots().free,
    cordon: (isCordoned) => node.cordon(isCordoned),
    leave,
  };
}

function modelOf(warm: Warm | undefined): TargetStatus['model'] {
  return warm && { name: warm.name, version: warm.version, provider: warm.provider };
}

/** What several gateways have together. */
function sumOf(
  views: ReadonlyMap<number, GatewayView | undefined>,
  common: Pick<TargetStatus, 'notReady' | 'sessionLimit' | 'model'>,
): TargetStatus {
  const there = [...views.values()].filter((view) => view !== undefined);
  const sum = (of: (view: GatewayView) => number): number => there.reduce((total, view) => total + of(view), 0);
  return {
    ...common,
    sockets: sum((view) => view.sockets),
    sessions: {
      streaming: sum(({ sessions }) => sessions.streaming),
      detached: sum(({ sessions }) => sessions.detached),
      ending: sum(({ sessions }) => sessions.ending),
    },
    lanes: { live: sum(({ lanes }) => lanes.live), batch: sum(({ lanes }) => lanes.batch) },
    level: Math.max(0, ...there.map(({ level }) => level)),
    queueDelayMs: Math.max(0, ...there.map(({ standingMs }) => standingMs)),
    audioRate: there.every(({ audioRate }) => audioRate !== undefined) ? sum((view) => view.audioRate ?? 0) : undefined,
    slots: slotsOf(there),
    nodes: nodesOnce(there.flatMap(({ nodes }) => nodes)),
    gateways: [...views].map(([gateway, view]) => gatewayOf(gateway, view)),
  };
}

function gatewayOf(gateway: number, view: GatewayView | undefined): GatewayStatus {
  if (!view) {
    return { gateway, isUp: false, notReady: undefined, sockets: 0, sessions: 0, sessionLimit: 0, level: 0 };
  }
  const { notReady, sockets, sessions, sessionLimit, level } = view;
  const open = sessions.streaming + sessions.detached + sessions.ending;
  return { gateway, isUp: true, notReady, sockets, sessions: open, sessionLimit, level };
}

/** All gateways see the same slots: those of who sees most nodes. */
function slotsOf(views: readonly GatewayView[]): SlotNumbers | undefined {
  const seen = views.flatMap(({ slots }) => slots ?? []);
  const [most] = seen.sort((a, b) => b.trunks - a.trunks);
  return most && { ...most, refused: seen.reduce((total, { refused }) => total + refused, 0) };
}
