import { entriesOf, type FaultSpec } from './faults-schema.ts';

/**
 * What a scenario may say about the server that it starts; durations in ms, limits by their wire
 * names.
 */
export type ServeOptions = {
  maxSessions?: number | undefined;
  resumeTtl?: number | undefined;
  limits?: Readonly<Record<string, number>> | undefined;
  model?: string | undefined;
  device?: string | undefined;
  /** Processes behind one port; with nodes or a store so many servers, each on its own. */
  gateways?: number | undefined;
  /** Inference nodes beside a gateway; absent: all in one process. */
  nodes?: number | undefined;
  slots?: number | undefined;
  /** Gateways and nodes are shared out among so many in turn. */
  zones?: number | undefined;
  /** Whether they show certificates of an authority of the test. */
  tls?: boolean | undefined;
  /** What the servers share, so that a session is resumed at any of them. */
  store?: 'redis' | undefined;
  /** What takes what cannot be finished live, and how many processes score it later. */
  handoff?: 'kafka' | undefined;
  workers?: number | undefined;
  /** The path of a routing policy. */
  routing?: string | undefined;
};

/** The same as flags of `speechfb serve`, which must allow the faults that the test will make. */
export function serveArgs(options: ServeOptions = {}, faults: readonly FaultSpec[] = []): string[] {
  const { maxSessions, resumeTtl, limits = {}, model, device, gateways, routing } = options;
  const faultFlags = definitions(faults).flatMap((fault) => ('serveFlag' in fault ? [fault.serveFlag] : []));
  return [
    ...(maxSessions === undefined ? [] : ['--max-sessions', `${maxSessions}`]),
    ...(resumeTtl === undefined ? [] : ['--resume-ttl', `${resumeTtl}ms`]),
    ...(model === undefined ? [] : ['--model', model]),
    ...(device === undefined ? [] : ['--device', device]),
    ...(routing === undefined ? [] : ['--routing', routing]),
    ...(gateways === undefined || hasServers(options) ? [] : ['--gateways', `${gateways}`]),
    ...Object.entries(limits).flatMap(([name, value]) => ['--limit', `${name}=${value}`]),
    ...new Set(faultFlags),
  ];
}

/** How many servers of one service there are, each on a port of its own. */
export function serverCount(options: ServeOptions = {}): number {
  return hasServers(options) ? (options.gateways ?? 1) : 1;
}

/** The store that such a server is given, fit for the faults that it will have; undefined: none. */
export function storeCommand(
  { store }: ServeOptions = {},
  faults: readonly FaultSpec[] = [],
): StoreCommand | undefined {
  if (store === undefined) return undefined;
  const needs = definitions(faults).flatMap((fault) => ('storeNeeds' in fault ? [fault.storeNeeds] : []));
  return { isRelayed: needs.length > 0, hasReplica: needs.includes('replica') };
}

/** How many workers score what was handed over; undefined: nothing is. */
export function workerCount({ handoff, workers = 1 }: ServeOptions = {}): number | undefined {
  return handoff === undefined ? undefined : workers;
}

/** Whether the server's processes must see a clock that can be stepped. */
export function needsSteppingClock(faults: readonly FaultSpec[]): boolean {
  return definitions(faults).some((fault) => 'steppingClock' in fault);
}

/**
 * Flags of each inference node of that server, which must allow the faults; undefined: it has none.
 */
export function nodeArgs(
  { nodes, slots, model, device }: ServeOptions = {},
  faults: readonly FaultSpec[] = [],
): NodeCommand | undefined {
  if (nodes === undefined) return undefined;
  const faultFlags = definitions(faults).flatMap((fault) => ('nodeFlag' in fault ? [fault.nodeFlag] : []));
  const args = [
    ...(slots === undefined ? [] : ['--slots', `${slots}`]),
    ...(model === undefined ? [] : ['--model', model]),
    ...(device === undefined ? [] : ['--device', device]),
    ...new Set(faultFlags),
  ];
  return { count: nodes, args };
}

/** So many nodes, each started with these flags. */
export type NodeCommand = { count: number; args: readonly string[] };

/** Whether the store is reached through a port where answers can be late, and has a replica. */
export type StoreCommand = { isRelayed: boolean; hasReplica: boolean };

function hasServers({ nodes, store }: ServeOptions): boolean {
  return nodes !== undefined || store !== undefined;
}

function definitions(faults: readonly FaultSpec[]) {
  return faults.flatMap(entriesOf).map(([fault]) => fault);
}
