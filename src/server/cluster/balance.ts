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

/**
 * The gateway that the next connection goes to; undefined: none is up. One that takes sessions
 * before one that does not, then the one with most room for its size: sessions stay for minutes, so
 * that turns alone would leave one full while another is empty.
 * @param turn rises by one each time, so that equals take turns
 */
export function chooseGateway<C extends Choice>(gateways: readonly C[], turn: number): C | undefined {
  const up = gateways.filter(({ isUp }) => isUp);
  const ready = up.filter(({ notReady }) => notReady === undefined);
  const among = ready.length > 0 ? ready : up;
  let best: C | undefined;
  for (let offset = 0; offset < among.length; offset++) {
    const gateway = among[(turn + offset) % among.length]!;
    if (!best || fullness(gateway) < fullness(best)) best = gateway;
  }
  return best;
}

/** Share of what it carries; a connection without a session may begin one. */
function fullness({ connections, sessions, sessionLimit }: Choice): number {
  return Math.max(connections, sessions) / Math.max(1, sessionLimit);
}
