import type { z } from 'zod';
import { namedNetwork, unknownNetwork } from './index.ts';

/** What is checked here may have other problems: anything may be missing or of another type. */
type Extending = Readonly<Record<string, { extends?: unknown; up?: unknown; down?: unknown } | null>>;

/**
 * The own network that `name` means, by its name as written, or undefined; case is not regarded.
 */
export function ownName(networks: Readonly<Record<string, unknown>>, name: string): string | undefined {
  const wanted = name.toLowerCase();
  return Object.keys(networks).find((key) => key.toLowerCase() === wanted);
}

/**
 * The own network that `name` extends, or undefined when its base is a built-in one or none. A
 * network that extends its own name means the built-in one.
 */
export function ownBase(networks: Extending, name: string): string | undefined {
  const base = networks[name]?.extends;
  const own = typeof base === 'string' ? ownName(networks, base) : undefined;
  return own === name ? undefined : own;
}

/**
 * Bases that do not exist, circles, names that differ only in case, and two directions that extend
 * each other.
 */
export function checkExtends(networks: Extending, context: z.RefinementCtx): void {
  const names = Object.keys(networks);
  for (const name of names) {
    const problem = (path: string[], message: string) =>
      context.addIssue({ code: 'custom', path: [name, ...path], message });
    const base = networks[name]?.extends;
    if (ownName(networks, name) !== name) problem([], `"${name}" is already taken by "${ownName(networks, name)}"`);
    if (typeof base === 'string' && ownBase(networks, name) === undefined && namedNetwork(base) === undefined)
      problem(
        ['extends'],
        unknownNetwork(
          base,
          names.filter((other) => other !== name),
        ),
      );
    if (circleFrom(networks, name)) problem(['extends'], `"${base}" leads back to "${name}"`);
    if (mirrors(networks[name]?.up) && mirrors(networks[name]?.down))
      problem(['down', 'extends'], 'up and down extend each other');
  }
}

function mirrors(path: unknown): boolean {
  return typeof path === 'object' && path !== null && 'extends' in path;
}

function circleFrom(networks: Extending, start: string): boolean {
  let name = ownBase(networks, start);
  for (let steps = 0; name !== undefined && steps <= Object.keys(networks).length; steps++) {
    if (name === start) return true;
    name = ownBase(networks, name);
  }
  return false;
}
