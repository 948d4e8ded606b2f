import type { Clock } from '../../clock/wheel.ts';
import type { OpenLink } from './link.ts';
import { type LinkTarget, WsConnection } from './websocket-connection.ts';

/** Links on the network that is there. `afterMessage` is called behind each message, with the time at which it came. */
export function socketLinks(target: LinkTarget, clock: Clock, afterMessage?: (nowMs: number) => void): OpenLink {
  const context = { target, clock, afterMessage };
  return (events) => new WsConnection(context, events);
}
