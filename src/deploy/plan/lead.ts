import type { UserCurve } from '../../capacity/scenario/users.ts';

/** What a rise asks of a fleet that cannot start pods in time. */
export type Rise = {
  /** Users at once, at the end of the rise. */
  users: number;
  /** When it begins, ms into the scenario, and how many users there are then. */
  atMs: number;
  from: number;
};

/**
 * The rise that asks for most, among those that outrun an autoscaler: within `leadMs`, the time
 * from a load to a pod that serves it, users grow by more than `absorbed`, which is what a fleet
 * within its target takes in. Undefined when there is none.
 */
export function outrunningRise(
  users: UserCurve,
  { durationMs, leadMs, absorbed, stepMs }: { durationMs: number; leadMs: number; absorbed: number; stepMs: number },
): Rise | undefined {
  let worst: Rise | undefined;
  for (let atMs = 0; atMs <= durationMs; atMs += stepMs) {
    const [from, to] = [users(atMs), users(atMs + leadMs)];
    if (to > from * absorbed && to > (worst?.users ?? 0)) worst = { users: to, atMs, from };
  }
  return worst;
}
