import type { Socket } from 'node:net';
import type { WebSocket } from 'ws';

/** Who is attacked, and what the attacker has seen of it. */
export type Target = {
  url: string;
  token: string | undefined;
  seen: { sent: number; received: number; answers: Map<string, number> };
};

export type Attack = {
  name: string;
  what: string;
  /** Whether the server asks for tokens; the learner and the attacker then have one each. */
  tokens: boolean;
  /** How the server is started, where it has to let in more than it does by itself. */
  serve?: readonly string[];
  /** Whether the server is a gateway before a node, and the node's port is attacked. */
  isAtNode?: true;
  /** How many read beside it; default 4. */
  learners?: number;
  /** How long it takes until it is in full swing, s; default --lead. */
  leadSeconds?: number;
  /** What the server may take; default --most-megabytes. */
  mostMegabytes?: number;
  /** Files that the server and the attacker have open at once. */
  openFiles?: number;
  /** Goes on until the process is killed. */
  run(target: Target): void;
};

/** Keeps `count` sockets alive, a new one for each that ends, at most `perSecond` of them. */
export function again(count: number, make: () => WebSocket | Socket, perSecond = 100): void {
  let living = 0;
  setInterval(() => {
    for (let made = 0; living < count && made < perSecond / 10; made++) {
      living++;
      const socket = make();
      socket.on('error', () => {});
      socket.once('close', () => void living--);
    }
  }, 100);
}
