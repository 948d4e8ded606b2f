import { readText } from '../../config/read-chunks.ts';
import { type ExitCode, exitCodes, SpeechfbError } from '../../errors.ts';
import { renderExplanation } from '../../report/routing/explain-text.ts';
import { renderPolicy } from '../../report/routing/policy-text.ts';
import { renderRouted } from '../../report/routing/simulation-text.ts';
import { decideRoute, type RouteDecision } from '../../routing/decide/decide.ts';
import { parseQuestion } from '../../routing/decide/request.ts';
import { parseLanguages } from '../../routing/simulate/groups.ts';
import { simulateRouting } from '../../routing/simulate/simulate.ts';
import { planFile } from '../capacity/read.ts';
import { printJson } from '../output.ts';
import { shippedOr } from '../shipped.ts';
import { printReport } from '../terminal.ts';
import { type NamedPolicy, parsePolicy } from './read-policy.ts';

export type RouteFlags = { explain?: string; simulate?: string; languages: string; json?: true };

/**
 * Checks the policy and answers what the flags ask; exit code 99 when the session that is asked for
 * would be refused.
 */
export function runRoute(given: string, flags: RouteFlags): ExitCode {
  if (flags.explain !== undefined && flags.simulate !== undefined)
    throw new SpeechfbError('bad_flag', '--explain and --simulate do not go together');
  const policy = readPolicy(given);
  if (flags.explain !== undefined) return explain(policy, flags.explain, flags);
  if (flags.simulate !== undefined) return simulate(policy, flags.simulate, flags);
  if (flags.json) printJson({ name: policy.name, ...policy.spec, notes: policy.notes });
  else printReport(policy, renderPolicy);
  return exitCodes.pass;
}

function readPolicy(given: string): NamedPolicy {
  const file = shippedOr('routing policy', given);
  return parsePolicy(file, readText(file, 'policy'));
}

function explain({ spec }: NamedPolicy, asked: string, { json }: RouteFlags): ExitCode {
  const { request, draw, canary, hindered } = parseQuestion(
    asked,
    spec.backends.map(({ name }) => name),
  );
  const decide: Decide = (at, canaryDraw) =>
    decideRoute(spec, { ...request, draw: at, canaryDraw }, ({ name }) => hindered.get(name));
  const parts = draw === undefined ? sharesOf(decide(0, undefined)) : [{ share: 1, draw }];
  const decisions = parts.flatMap((part) => ofEachVariant(part, spec.canary?.share, canary, decide));
  if (json) {
    const { rule, passedOver } = decisions[0]!.decision;
    const ways = decisions.map(({ share, decision: { drawn, variant, backend, hindered: passed } }) => ({
      share,
      drawn,
      variant: variant ?? null,
      backend: backend?.name ?? null,
      hindered: passed,
    }));
    printJson({ rule: rule.name, passed_over: passedOver, ways });
  } else printReport({ asked: asked.trim() || 'a session of which nothing is said', decisions }, renderExplanation);
  return decisions.some(({ decision }) => decision.backend === undefined) ? exitCodes.missed : exitCodes.pass;
}

type Decide = (draw: number, canaryDraw: number | undefined) => RouteDecision;

/** The middle of each share. */
function sharesOf({ rule }: RouteDecision): { share: number; draw: number }[] {
  let begin = 0;
  return Object.values(rule.to)
    .filter((share) => share > 0)
    .map((share) => {
      begin += share;
      return { share, draw: begin - share / 2 };
    });
}

/** What a canary takes of a share, and what it leaves. */
function ofEachVariant(
  { share, draw }: { share: number; draw: number },
  canaryShare: number | undefined,
  asked: boolean | undefined,
  decide: Decide,
): { share: number; decision: RouteDecision }[] {
  const taken = decide(draw, 0);
  if (canaryShare === undefined || taken.variant === undefined) return [{ share, decision: decide(draw, undefined) }];
  const left = decide(draw, canaryShare);
  if (asked !== undefined) return [{ share, decision: asked ? taken : left }];
  return [
    { share: share * (1 - canaryShare), decision: left },
    { share: share * canaryShare, decision: taken },
  ];
}

function simulate({ name, spec }: NamedPolicy, file: string, { languages, json }: RouteFlags): ExitCode {
  const groups = parseLanguages(languages);
  const { details, simulation, cost } = planFile(file, {});
  const { timeline, duration_ms: durationMs } = simulation;
  const moments = timeline.map(({ at_ms, wanted, capacity }) => ({ atMs: at_ms, wanted, capacity }));
  const outcome = simulateRouting(spec, { moments, durationMs, groups, sessionMs: meanTurnMs(simulation) });
  const managed = simulation.managed_minutes * (cost.managed_per_minute ?? 0);
  const podDollars = simulation.cost.total === null ? null : simulation.cost.total - managed;
  if (json)
    printJson({ policy: name, load: details.name, duration_ms: durationMs, pod_dollars: podDollars, ...outcome });
  else printReport({ policy: name, load: details.name, durationMs, outcome, podDollars }, renderRouted);
  return exitCodes.pass;
}

/** What was spoken, served or not, over how many turns. */
function meanTurnMs({ streams, self_hosted_minutes, managed_minutes, degraded_stream_minutes }: SimulatedLoad): number {
  return ((self_hosted_minutes + managed_minutes + degraded_stream_minutes) / Math.max(1, streams)) * 60_000;
}

type SimulatedLoad = ReturnType<typeof planFile>['simulation'];
