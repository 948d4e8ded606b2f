import type { TreeMap } from '../document/figure.ts';

/** Which of the two roles, and of which pool or version. */
export type Part = { role: 'inference' | 'gateway'; variant?: 'spot' | 'canary' };

export type Names = { release: string; namespace: string };

/** `speechfb-inference`, `speechfb-inference-spot`. */
export function nameOfPart({ release }: Names, { role, variant }: Part): string {
  return [release, role, ...(variant ? [variant] : [])].join('-');
}

export function metadata({ namespace, release }: Names, name: string, extra: TreeMap = {}): TreeMap {
  return {
    name,
    namespace,
    labels: { 'app.kubernetes.io/name': 'speechfb', 'app.kubernetes.io/instance': release },
    ...extra,
  };
}

/** What tells the pods of a role from all others; pools and versions of it share it. */
export function roleLabels({ release }: Names, role: Part['role']): TreeMap {
  return {
    'app.kubernetes.io/name': 'speechfb',
    'app.kubernetes.io/instance': release,
    'app.kubernetes.io/component': role,
  };
}

/** What tells the pods of one workload from those of the others of its role. */
export function partLabels(names: Names, { role, variant }: Part): TreeMap {
  return {
    ...roleLabels(names, role),
    'speechfb.dev/pool': variant === 'spot' ? 'spot' : 'on-demand',
    'speechfb.dev/track': variant === 'canary' ? 'canary' : 'stable',
  };
}
