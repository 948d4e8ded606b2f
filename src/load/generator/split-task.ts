import type { ShardTask } from './generator.ts';

/**
 * One task for each of `count` generators, none without learners: learners are dealt in turn, so that each generator has its
 * part of every arrival rate. Faults of the server are nobody's.
 */
export function splitTask(task: ShardTask, count: number): ShardTask[] {
  const parts = Math.max(1, Math.min(count, task.plans.length));
  return Array.from({ length: parts }, (_, part) => {
    const plans = task.plans.filter((_, index) => index % parts === part);
    const mine = new Set(plans.map(({ learner }) => learner));
    const faults = task.faults.flatMap((fault) => {
      if (!('learners' in fault)) return [];
      const learners = fault.learners.filter((learner) => mine.has(learner));
      return learners.length > 0 ? [{ ...fault, learners }] : [];
    });
    return { ...task, plans, faults };
  });
}
