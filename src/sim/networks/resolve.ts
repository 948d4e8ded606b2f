import { SpeechfbError } from '../../errors.ts';
import type { NetworkProfile, PathProfile } from '../profile/profile.ts';
import { idealNetwork } from './build.ts';
import { ownBase } from './extends.ts';
import { namedNetwork } from './index.ts';
import type { NetworkSpec, NetworksMap, PathSpec } from './schema.ts';

/** Gives the times of a trace, ms; reads it from wherever the caller keeps files. */
export type ReadTrace = (file: string) => readonly number[];

/**
 * Every network of a checked map as a full profile, under its name as written. What a network
 * leaves out, its base has; a direction that is not written at all is as in the base, or without a
 * base as the other direction.
 */
export function resolveNetworks(networks: NetworksMap, readTrace: ReadTrace = noTraces): Map<string, NetworkProfile> {
  const resolved = new Map<string, NetworkProfile>();
  const resolve = (name: string): NetworkProfile => {
    const known = resolved.get(name);
    if (known) return known;
    const own = ownBase(networks, name);
    const extended = networks[name]!.extends;
    const base = own === undefined ? namedNetwork(extended ?? 'ideal')! : resolve(own);
    const profile = { ...applySpec(base, networks[name]!, readTrace), name };
    resolved.set(name, profile);
    return profile;
  };
  return new Map(Object.keys(networks).map((name) => [name, resolve(name)]));
}

/** `base` with everything that `spec` says otherwise. */
export function applySpec(base: NetworkProfile, spec: NetworkSpec, readTrace: ReadTrace = noTraces): NetworkProfile {
  const alone = spec.extends === undefined && base === idealNetwork;
  const mirror = (from: 'up' | 'down', to: PathSpec | undefined) =>
    alone && spec[from] !== undefined && to === undefined;
  const upSpec: PathSpec | undefined = mirror('down', spec.up) ? { extends: 'down' } : spec.up;
  const downSpec: PathSpec | undefined = mirror('up', spec.down) ? { extends: 'up' } : spec.down;
  let { up, down } = base;
  if (upSpec?.extends === 'down') {
    down = applyPath(down, downSpec, readTrace);
    up = applyPath(down, upSpec, readTrace);
  } else {
    up = applyPath(up, upSpec, readTrace);
    down = applyPath(downSpec?.extends === 'up' ? up : down, downSpec, readTrace);
  }
  if (spec.trace) up = { ...up, opportunitiesMs: readTrace(spec.trace.file) };
  return {
    ...base,
    source: spec.source ?? (alone ? 'own figures' : `${base.source.replace(changed, '')}${changed}`),
    transport: spec.transport ?? base.transport,
    tcp: { congestion: spec.tcp?.cc ?? base.tcp.congestion, rtoMinUs: spec.tcp?.rtoMin ?? base.tcp.rtoMinUs },
    quic: {
      initialWindowBytes: spec.quic?.initialWindowBytes ?? base.quic.initialWindowBytes,
      leastWindowBytes: spec.quic?.leastWindowBytes ?? base.quic.leastWindowBytes,
    },
    up,
    down,
    events: spec.events ?? base.events,
  };
}

const changed = '; with own changes';

function applyPath(base: PathProfile, spec: PathSpec | undefined, readTrace: ReadTrace): PathProfile {
  if (!spec) return base;
  return {
    delayUs: spec.delay ?? base.delayUs,
    jitter: spec.jitter ? (spec.jitter.valueUs > 0 ? spec.jitter : undefined) : base.jitter,
    reorder: spec.reorder ?? base.reorder,
    rateBitsPerSecond:
      spec.rate === undefined ? base.rateBitsPerSecond : spec.rate === 'unlimited' ? undefined : spec.rate,
    queuePackets: spec.queue ?? base.queuePackets,
    loss: spec.loss ?? base.loss,
    opportunitiesMs: spec.trace ? readTrace(spec.trace.file) : base.opportunitiesMs,
  };
}

function noTraces(file: string): never {
  throw new SpeechfbError('unreadable_file', `cannot read the trace "${file}" here: no files are at hand`);
}
