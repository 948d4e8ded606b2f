import { streamPath } from '../../../protocol/address.ts';
import type { Lane } from '../../../protocol/client-messages.ts';
import type { LiveGateway } from '../../../stores/session-store.ts';
import type { SlotNumbers } from '../../../telemetry/slot-metrics.ts';
import type { RoutingView } from '../../hearing/router.ts';
import type { NodeDirectory, NodeView } from '../../node-directory.ts';
import { publicId, tenantIn, userIn } from '../../public-names.ts';
import type { ServerContext } from '../../session/context.ts';
import { modelOf } from '../../session/saved-session.ts';
import type { Session, SessionState } from '../../session/session.ts';

/** A gateway as those who run it see it. */
export type GatewayView = {
  /** Why it takes no new session; undefined: it does. */
  notReady: string | undefined;
  sockets: number;
  sessions: Readonly<Record<SessionState, number>>;
  /** Sessions that stream, by lane. */
  lanes: Readonly<Record<Lane, number>>;
  /** Sessions that it believes it carries. */
  sessionLimit: number;
  /** What its sessions are spared, 0: nothing. */
  level: number;
  /** How late feedback has stood for the last interval, ms. */
  standingMs: number;
  /** Seconds of sound that are scored a second; undefined: it cannot tell. */
  audioRate: number | undefined;
  /** Absent where it scores by itself. */
  slots: SlotNumbers | undefined;
  nodes: readonly NodeView[];
  /** What writes transcripts; absent: no policy decides it. */
  routing: RoutingView | undefined;
};

/** A session without anything of its learner. */
export type SessionView = {
  /** The first 16 hexadecimal digits of the SHA-256 of its id. */
  id: string;
  state: SessionState;
  lane: Lane;
  /** The tenant, or the name of the token, that it was started with; never a user. */
  tenant: string | undefined;
  /** A digest of the user whom its tenant named: it tells the users of a tenant apart. */
  user: string | undefined;
  ageMs: number;
  /** Where it is scored; undefined: here, or nowhere yet. */
  node: string | undefined;
};

/** Where streams of a server are found that listens there. */
export function streamUrl(host: string, port: number, isSecure: boolean): string {
  return `${isSecure ? 'wss' : 'ws'}://${host.includes(':') ? `[${host}]` : host}:${port}${streamPath}`;
}

/** What the other gateways are told of it; undefined while it takes no sessions. */
export function selfOf(
  notReady: string | undefined,
  url: string | undefined,
  context: ServerContext,
): Omit<LiveGateway, 'id'> | undefined {
  if (notReady !== undefined) return undefined;
  const beside = context.router?.models.map(({ identity }) => identity) ?? [];
  return { url: url ?? '', models: [modelOf(context), ...beside] };
}

export function sessionViews(
  sessions: readonly Session[],
  nowMs: number,
  directory: Pick<NodeDirectory, 'nodeOf'>,
): readonly SessionView[] {
  return sessions.map((session) => ({
    id: publicId(session.id),
    state: session.state,
    lane: session.lane,
    tenant: tenantIn(session.owner),
    user: userIn(session.owner),
    ageMs: Math.round(nowMs - session.startedMs),
    node: directory.nodeOf(session.id),
  }));
}
