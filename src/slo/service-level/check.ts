import { durationText, numberText } from '../../format.ts';
import { type BurnAlert, budgetSpent, canFire, detectionTimeMs, eventsToCarryOneFailure, largestBurn } from './burn.ts';
import type { ServiceLevel } from './service-level.ts';

export type AlertCheck = BurnAlert & {
  objective: string;
  /** Fires above this share of bad events in both windows. */
  badShare: number;
  budgetSpent: number;
  reachable: boolean;
  /**
   * Time to fire when every event, or one in ten, turns bad; Infinity when the alert cannot see it.
   */
  outageDetectedMs: number;
  tenPercentDetectedMs: number;
  /** With fewer events in the short window, one failure alone is above the threshold. */
  eventsToCarryOneFailure: number;
};

type Finding = { objective: string | undefined; message: string };

export type ServiceLevelCheck = { alerts: AlertCheck[]; findings: Finding[] };

/** How each alert behaves for each objective, and what will surprise whoever is paged. */
export function checkServiceLevel(level: ServiceLevel): ServiceLevelCheck {
  const alerts = level.objectives.flatMap(({ name, target }) =>
    level.alerts.map((one) => check(level, name, target, one)),
  );
  const findings = [
    ...alerts.flatMap((one) => alertFindings(level, one)),
    ...level.objectives.flatMap((objective) => slowBurnFindings(level, objective.name)),
    ...windowFindings(level),
  ];
  return { alerts, findings };
}

function check(level: ServiceLevel, objective: string, target: number, alert: BurnAlert): AlertCheck {
  return {
    ...alert,
    objective,
    badShare: alert.burn * (1 - target),
    budgetSpent: budgetSpent(alert.burn, alert.longMs, level.periodMs),
    reachable: canFire(alert.burn, target),
    outageDetectedMs: detectionTimeMs(alert, target, 1),
    tenPercentDetectedMs: detectionTimeMs(alert, target, 0.1),
    eventsToCarryOneFailure: eventsToCarryOneFailure(alert.burn, target),
  };
}

function alertFindings(level: ServiceLevel, alert: AlertCheck): Finding[] {
  const name = `${alert.severity} ${durationText(alert.longMs)}/${durationText(alert.tenthsMs)} at ${numberText(alert.burn)}x`;
  const findings: Finding[] = [];
  const say = (message: string) => findings.push({ objective: alert.objective, message: `${name}: ${message}` });
  if (!alert.reachable) {
    const target = 1 - alert.badShare / alert.burn;
    say(`can never fire: the burn is at most ${numberText(largestBurn(target))}`);
  }
  if (alert.burn < 1) say('fires inside the budget: at this burn the objective is still met over its period');
  const floor = alert.eventsToCarryOneFailure;
  if (level.eventsPerMinute === undefined) {
    if (level.minimumEvents < floor) {
      const advice = 'write spec.traffic to check, or spec.minimumEvents to keep it silent';
      say(`one failure alone is above the threshold below ${numberText(floor)} events in the window; ${advice}`);
    }
    return findings;
  }
  const events = (level.eventsPerMinute * alert.longMs) / 60_000;
  if (events < floor && level.minimumEvents < floor) {
    say(
      `a quiet hour has ${numberText(events)} events in ${durationText(alert.longMs)}: one failure fires it; ` +
        `write minimumEvents: ${floor}, widen the window, or join objectives`,
    );
  }
  if (events < level.minimumEvents) {
    say(`minimumEvents ${level.minimumEvents} silences it in a quiet hour, which has ${numberText(events)} events`);
  }
  return findings;
}

/** A steady burn that empties the budget while no alert looks. */
function slowBurnFindings(level: ServiceLevel, objective: string): Finding[] {
  if (level.alerts.length === 0) return [{ objective, message: 'has no alert' }];
  const lowest = Math.min(...level.alerts.map((alert) => alert.burn));
  if (lowest <= 1) return [];
  const empty = durationText(level.periodMs / lowest);
  return [
    { objective, message: `a steady burn of ${numberText(lowest)} empties the budget in ${empty} and fires nothing` },
  ];
}

function windowFindings(level: ServiceLevel): Finding[] {
  return level.alerts
    .filter((alert) => alert.tenthsMs * 2 > alert.longMs)
    .map(({ longMs, tenthsMs }) => {
      const windows = `${durationText(longMs)}/${durationText(tenthsMs)}`;
      return {
        objective: undefined,
        message: `${windows}: the short window hardly ends the alert sooner; usual is 1/12`,
      };
    });
}
