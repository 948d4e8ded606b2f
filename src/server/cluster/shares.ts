import type { Limits } from '../limits.ts';

/** The most gateways that a server may have. */
export const mostGateways = 64;

/**
 * How many gateways a machine of so many cores has unless it is told. One gateway thread is full at
 * some 280 sessions, whatever the machine; their inference and scoring take 1.3 times as much, and
 * the kernel and the collector's helpers the rest of three cores. Below six cores there is one.
 */
export function gatewaysFor(cores: number): number {
  return Math.max(1, Math.min(mostGateways, Math.floor(cores / coresAGateway)));
}

/** The cores that one of so many gateways may count on. */
export function coresOfOne(cores: number, gateways: number): number {
  return Math.max(1, Math.floor(cores / gateways));
}

/**
 * The limits of one of so many gateways. What bounds memory or guards the door of one process is
 * divided, since connections are spread evenly; what the supervisor counts for all stays whole, and
 * so does what is of one socket, session or caller.
 */
export function limitsOfOne(limits: Limits, gateways: number): Limits {
  const part = (value: number): number => Math.max(1, Math.ceil(value / gateways));
  return {
    ...limits,
    maxOpenPhones: Math.max(limits.maxTextPhones, part(limits.maxOpenPhones)),
    maxAddresses: part(limits.maxAddresses),
    acceptsATurn: part(limits.acceptsATurn),
    maxPendingConnections: part(limits.maxPendingConnections),
    maxPendingPerAddress: part(limits.maxPendingPerAddress),
    handshakesPerSecond: limits.handshakesPerSecond / gateways,
    handshakeBurst: part(limits.handshakeBurst),
    initialSessions: limits.initialSessions === 0 ? 0 : part(limits.initialSessions),
    leastSessions: part(limits.leastSessions),
  };
}

const coresAGateway = 3;
