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
  gateways?: number | undefined;
  /** Inference nodes beside a gateway; absent: all in one process. */
  nodes?: number | undefined;
  slots?: number | undefined;
};

/** The same as flags of `speechfb serve`, which must allow the faults that the test will make. */
export function serveArgs(options: ServeOptions = {}, faults: readonly FaultSpec[] = []): string[] {
  const { maxSessions, resumeTtl, limits = {}, model, device, gateways } = options;
  const faultFlags = faults.flatMap(entriesOf).flatMap(([fault]) => ('serveFlag' in fault ? [fault.serveFlag] : []));
  return [
    ...(maxSessions === undefined ? [] : ['--max-sessions', `${maxSessions}`]),
    ...(resumeTtl === undefined ? [] : ['--resume-ttl', `${resumeTtl}ms`]),
    ...(model === undefined ? [] : ['--model', model]),
    ...(device === undefined ? [] : ['--device', device]),
    ...(gateways === undefined ? [] : ['--gateways', `${gateways}`]),
    ...Object.entries(limits).flatMap(([name, value]) => ['--limit', `${name}=${value}`]),
    ...new Set(faultFlags),
  ];
}

/** Flags of each inference node of that server; undefined: it has none. */
export function nodeArgs({ nodes, slots, model, device }: ServeOptions = {}): NodeCommand | undefined {
  if (nodes === undefined) return undefined;
  const args = [
    ...(slots === undefined ? [] : ['--slots', `${slots}`]),
    ...(model === undefined ? [] : ['--model', model]),
    ...(device === undefined ? [] : ['--device', device]),
  ];
  return { count: nodes, args };
}

/** So many nodes, each started with these flags. */
export type NodeCommand = { count: number; args: readonly string[] };
