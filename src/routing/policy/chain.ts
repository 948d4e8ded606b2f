import type { RoutedBackend } from './spec.ts';

/** A backend and, in order, those that take its sessions when it cannot; ends before a loop. */
export function chainFrom(name: string, backends: readonly RoutedBackend[]): RoutedBackend[] {
  const chain: RoutedBackend[] = [];
  let next = backends.find((backend) => backend.name === name);
  while (next !== undefined && !chain.includes(next)) {
    chain.push(next);
    const { fallback } = next;
    next = backends.find((backend) => backend.name === fallback);
  }
  return chain;
}
