/** A gateway as the next connection sees it. */
export type Choice = {
  /** Whether it listens, and has said so of late. */
  isUp: boolean;
  /** Why it takes no session; undefined: it does. */
  notReady: string | undefined;
  /** Its connections, those that it was just handed among them. */
  connections: number;
  sessions: number;
  /** Sessions that it believes it carries. */
  sessionLimit: number;
};

/** The same while the gateways take connections themselves. */
export type SelfServing = Choice & {
  /** For how long nothing was heard of it, ms. */
  silentForMs(nowMs: number): number;
};

/**
 * The gateway that the next connection goes to; undefined: none is up. One that takes sessions
 * before one that does not, then the one with most room for its size: sessions stay for minutes, so
 * that turns alone would leave one full while another is empty.
 * @param turn rises by one each time, so that equals take turns
 */
export function chooseGateway<C extends Choice>(gateways: readonly C[], turn: number): C | undefined {
  const among = eligible(gateways);
  let best: C | undefined;
  for (let offset = 0; offset < among.length; offset++) {
    const gateway = among[(turn + offset) % among.length]!;
    if (!best || fullness(gateway) < fullness(best)) best = gateway;
  }
  return best;
}

/**
 * How many connections each gateway may take by itself before it is looked at again; who is missing
 * takes none. All may become as full as the emptiest would be with `least` more. One that has not
 * been heard for some turns holds nobody up: it is no measure for the others.
 */
export function admissions<C extends SelfServing>(
  gateways: readonly C[],
  { nowMs, least }: { nowMs: number; least: number },
): Map<C, number> {
  const among = eligible(gateways);
  const prompt = among.filter((gateway) => gateway.silentForMs(nowMs) < promptMs);
  let ceiling = Number.POSITIVE_INFINITY;
  for (const gateway of prompt.length > 0 ? prompt : among) {
    ceiling = Math.min(ceiling, fullness(gateway) + least / Math.max(1, gateway.sessionLimit));
  }
  const most = (gateway: C): number =>
    Math.max(0, Math.round((ceiling - fullness(gateway)) * Math.max(1, gateway.sessionLimit)));
  return new Map(among.map((gateway) => [gateway, most(gateway)]));
}

/** Gateways that take sessions, or where there is none those that are up. */
function eligible<C extends Choice>(gateways: readonly C[]): readonly C[] {
  const up = gateways.filter(({ isUp }) => isUp);
  const ready = up.filter(({ notReady }) => notReady === undefined);
  return ready.length > 0 ? ready : up;
}

/** A gateway says ten times a second how it is, and in each of its turns where these are longer. */
const promptMs = 300;

/** Share of what it carries; a connection without a session may begin one. */
function fullness({ connections, sessions, sessionLimit }: Choice): number {
  return Math.max(connections, sessions) / Math.max(1, sessionLimit);
}
