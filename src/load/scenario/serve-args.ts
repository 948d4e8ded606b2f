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
};

/** The same as flags of `speechfb serve`, which must allow the faults that the test will make. */
export function serveArgs(options: ServeOptions = {}, faults: readonly FaultSpec[] = []): string[] {
  const { maxSessions, resumeTtl, limits = {}, model, device } = options;
  const faultFlags = faults.flatMap(entriesOf).flatMap(([fault]) => ('serveFlag' in fault ? [fault.serveFlag] : []));
  return [
    ...(maxSessions === undefined ? [] : ['--max-sessions', `${maxSessions}`]),
    ...(resumeTtl === undefined ? [] : ['--resume-ttl', `${resumeTtl}ms`]),
    ...(model === undefined ? [] : ['--model', model]),
    ...(device === undefined ? [] : ['--device', device]),
    ...Object.entries(limits).flatMap(([name, value]) => ['--limit', `${name}=${value}`]),
    ...new Set(faultFlags),
  ];
}
