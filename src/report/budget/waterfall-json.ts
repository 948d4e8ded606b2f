import type { Analysis } from '../../budget/analyse.ts';
import type { Interval } from '../../budget/decompose/verdict.ts';
import type { BudgetLever } from '../../budget/levers.ts';
import type { BudgetReport } from '../../budget/report.ts';

/**
 * A budget report as `speechfb budget --json` prints it. Times in ms; null where there is nothing
 * to say: no data, an unbounded side of an interval, a percentile that never came.
 */
export function budgetJson({ analysis, by, exemplars, notes }: BudgetReport): object {
  const { budget, total, source } = analysis;
  const figures = total && {
    n: total.n,
    value_ms: finite(total.valueMs),
    ci_ms: pair(total.interval),
    never: total.never,
    traces_near: total.near,
    bandwidth_ms: finite(total.bandwidthMs),
    sessions: total.worth.sessions ?? null,
    design_effect: total.worth.designEffect,
    effective_traces: total.worth.traces,
    more_traces_needed: finite(total.moreTraces),
    more_sessions_needed: finite(total.moreSessions),
  };
  return {
    name: budget.name,
    objective: { percentile: budget.objective.percentile, value_ms: budget.objective.valueMs, op: budget.objective.op },
    interpretation: budget.interpretation,
    source,
    measured: source === 'measured' ? figures : null,
    predicted: source === 'predicted' ? { ...figures, exact_ms: finite(analysis.exactMs) } : null,
    verdict: analysis.verdict,
    doubt: analysis.doubt ?? null,
    stages: stagesJson(analysis),
    unattributed_ms: finite(analysis.unattributed?.ms),
    unattributed_ci_ms: pair(analysis.unattributed?.interval),
    reserve_ms: budget.reserveMs,
    what_if: analysis.whatIf.map((answer) => whatIfJson(answer, source)),
    by: by ? { label: by.label, groups: by.groups.map(({ value, analysis: one }) => groupJson(value, one)) } : null,
    exemplars: exemplars.map((one) => ({
      session: one.session ?? null,
      at_ms: finite(one.atMs),
      line: one.line,
      total_ms: one.totalMs,
      stages: Object.fromEntries(one.stages.map(({ name, ms }) => [name, ms])),
      unattributed_ms: one.unattributedMs,
    })),
    notes,
  };
}

function stagesJson({ budget, stages, exactShares }: Analysis): object[] {
  return budget.stages.map(({ name, budgetMs }, i) => {
    const stage = stages[i];
    return {
      name,
      budget_ms: budgetMs,
      p50_ms: finite(stage?.p50Ms),
      p95_ms: finite(stage?.p95Ms),
      contribution_ms: finite(stage?.contribution.ms),
      exact_ms: finite(exactShares?.[i]),
      ci_ms: pair(stage?.contribution.interval),
      verdict: stage?.verdict ?? null,
      judged: stage
        ? { figure: stage.judged.what, value_ms: finite(stage.judged.ms), ci_ms: pair(stage.judged.interval) }
        : null,
      more_traces_needed: finite(stage?.moreTraces),
      worth_ms: finite(stage?.worthMs),
    };
  });
}

function groupJson(value: string, analysis: Analysis): object {
  return {
    value,
    n: analysis.total?.n ?? 0,
    value_ms: finite(analysis.total?.valueMs),
    ci_ms: pair(analysis.total?.interval),
    sessions: analysis.total?.worth.sessions ?? null,
    design_effect: analysis.total?.worth.designEffect ?? null,
    more_sessions_needed: finite(analysis.total?.moreSessions),
    verdict: analysis.verdict,
    stages: stagesJson(analysis),
    unattributed_ms: finite(analysis.unattributed?.ms),
  };
}

function whatIfJson(answer: Analysis['whatIf'][number], source: Analysis['source']): object {
  return {
    name: answer.name,
    value_ms: finite(answer.valueMs),
    ci_ms: source === 'arithmetic' ? null : pair(answer.interval),
    delta_ms: finite(answer.deltaMs),
    exact_ms: finite(answer.exactMs),
    overshoot_ms: answer.overshootMs,
    repay_to_ms: finite(answer.targetMs),
    levers: answer.levers.map(leverJson),
    together: answer.together ? leverJson(answer.together) : null,
    levers_after_reserve: answer.afterReserve.map(leverJson),
  };
}

function leverJson({ stage, possible, factor, savesMs }: BudgetLever): object {
  return { stage, possible, factor: factor ?? null, saves_ms: finite(savesMs) };
}

function pair(interval: Interval | undefined): (number | null)[] | null {
  if (!interval || (Number.isNaN(interval.low) && Number.isNaN(interval.high))) return null;
  return [finite(interval.low), finite(interval.high)];
}

function finite(value: number | undefined): number | null {
  return value !== undefined && Number.isFinite(value) ? value : null;
}
