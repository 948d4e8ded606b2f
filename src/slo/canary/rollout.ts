import { createRandom, type Random } from '../../stats/random.ts';
import { drawBinomial } from '../../stats/variates.ts';
import type { Canary } from './canary.ts';
import { type Arm, type CanaryDecision, type Judgement, judgeCanary } from './judge.ts';

/** What is planted in the new version. */
export type Regression = {
  /** Burn rate of the old version, and of the new one. */
  baselineBurn: number;
  canaryBurn: number;
  /** How much slower the new version is: 0.1 for 10 %. */
  slowdown: number;
  /**
   * The share of traffic from which the regression shows: one that needs load stays hidden in small
   * steps.
   */
  fromShare: number;
};

type RolloutLook = {
  /** Since the start of the rollout. */
  atMs: number;
  share: number;
  events: number;
  bad: number;
  judgement: Judgement;
};

export type Rollout = {
  outcome: 'promoted' | 'paused' | 'rolled back';
  /** When it ended, and at which share. */
  endedAtMs: number;
  share: number;
  /** Every look, one an interval. */
  looks: RolloutLook[];
  /** Bad events of the new version above what the old one would have had. */
  harmedEvents: number;
};

/**
 * A whole rollout, simulated interval by interval: events of both versions are drawn, the canary is
 * judged after every interval, rolled back at the first reason, and promoted to the next step when
 * the hold has passed and everything speaks for it. A step that still holds after twice its time
 * ends the rollout as paused.
 */
export function simulateRollout(canary: Canary, regression: Regression, seed: number): Rollout {
  const random = createRandom(seed);
  const looks: RolloutLook[] = [];
  const everyMs = canary.rollback.everyMs;
  let atMs = 0;
  let harmedEvents = 0;
  let share = 0;
  for (const [index, step] of canary.steps.entries()) {
    share = step.share;
    const alone = share >= 1;
    const worse = share >= regression.fromShare;
    const baseline = emptyArm();
    const arm = emptyArm();
    const canaryShare = badShare(canary, worse ? regression.canaryBurn : regression.baselineBurn);
    const baselineShare = badShare(canary, regression.baselineBurn);
    for (let inStepMs = everyMs; ; inStepMs += everyMs) {
      atMs += everyMs;
      const events = (canary.eventsPerMinute * everyMs) / 60_000;
      observe(random, arm, {
        events: events * share,
        badShare: canaryShare,
        slowdown: worse ? regression.slowdown : 0,
      });
      if (!alone) observe(random, baseline, { events: events * (1 - share), badShare: baselineShare, slowdown: 0 });
      const now = arm.history.at(-1)!;
      harmedEvents += now.total * Math.max(0, canaryShare - baselineShare);
      const judgement = judgeCanary(canary, alone ? undefined : baseline, arm);
      looks.push({ atMs, share, events: now.total, bad: now.bad, judgement });
      const end = endOfStep(judgement.decision, inStepMs, step.holdMs);
      if (end === 'next') break;
      if (end) return { outcome: end, endedAtMs: atMs, share, looks, harmedEvents };
    }
    if (index === canary.steps.length - 1) break;
  }
  return { outcome: 'promoted', endedAtMs: atMs, share, looks, harmedEvents };
}

function endOfStep(
  decision: CanaryDecision,
  inStepMs: number,
  holdMs: number,
): 'next' | 'paused' | 'rolled back' | undefined {
  if (decision === 'rollback') return 'rolled back';
  if (inStepMs < holdMs) return undefined;
  if (decision === 'promote') return 'next';
  return inStepMs >= 2 * holdMs ? 'paused' : undefined;
}

type GrowingArm = { history: { bad: number; total: number }[]; sessionsMs: number[] } & Arm;

function emptyArm(): GrowingArm {
  return { history: [], sessionsMs: [] };
}

/** An utterance in five seconds, a session of a minute. */
const eventsPerSession = 12;
/** A typical session's median feedback latency, and how far sessions differ (log-normal). */
const typicalMs = 200;
const spread = 0.15;

function observe(random: Random, arm: GrowingArm, now: { events: number; badShare: number; slowdown: number }): void {
  const total = Math.round(now.events);
  arm.history.push({ bad: drawBinomial(random, total, now.badShare), total });
  const sessions =
    Math.floor(now.events / eventsPerSession) + (random.uniform() < (now.events / eventsPerSession) % 1 ? 1 : 0);
  for (let i = 0; i < sessions; i++) {
    arm.sessionsMs.push(typicalMs * (1 + now.slowdown) * Math.exp(spread * random.normal()));
  }
}

function badShare({ target }: Canary, burn: number): number {
  return Math.min(1, burn * (1 - target));
}
