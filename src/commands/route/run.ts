import { parseDocuments } from '../../config/documents.ts';
import { readText } from '../../config/read-chunks.ts';
import { type ExitCode, exitCodes, SpeechfbError } from '../../errors.ts';
import { renderExplanation } from '../../report/routing/explain-text.ts';
import { renderPolicy } from '../../report/routing/policy-text.ts';
import { renderRouted } from '../../report/routing/simulation-text.ts';
import { decideRoute, type RouteDecision } from '../../routing/decide/decide.ts';
import { parseQuestion } from '../../routing/decide/request.ts';
import { routingPolicy } from '../../routing/policy/policy.ts';
import type { PolicySpec } from '../../routing/policy/spec.ts';
import { parseLanguages } from '../../routing/simulate/groups.ts';
import { simulateRouting } from '../../routing/simulate/simulate.ts';
import { planFile } from '../capacity/read.ts';
import { printJson } from '../output.ts';
import { shippedOr } from '../shipped.ts';
import { printReport } from '../terminal.ts';

export type RouteFlags = { explain?: string; simulate?: string; languages: string; json?: true };

type NamedPolicy = { name: string; spec: PolicySpec };

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
  if (flags.json) printJson({ name: policy.name, ...policy.spec });
  else printReport(policy, renderPolicy);
  return exitCodes.pass;
}

function readPolicy(given: string): NamedPolicy {
  const file = shippedOr('routing policy', given);
  const [first, second] = parseDocuments(file, readText(file, 'policy'), 'RoutingPolicy', routingPolicy);
  if (second)
    throw new SpeechfbError(
      'bad_config',
      `${file} has two policies, "${first!.name}" and "${second.name}"; one is in force at a time`,
    );
  return { name: first!.value.metadata.name, spec: first!.value.spec };
}

function explain({ spec }: NamedPolicy, asked: string, { json }: RouteFlags): ExitCode {
  const { request, draw, hindered } = parseQuestion(
    asked,
    spec.backends.map(({ name }) => name),
  );
  const decide = (at: number): RouteDecision =>
    decideRoute(spec, { ...request, draw: at }, ({ name }) => hindered.get(name));
  const decisions = draw === undefined ? ofEachShare(decide) : [{ share: 1, decision: decide(draw) }];
  if (json) {
    const { rule, passedOver } = decisions[0]!.decision;
    const ways = decisions.map(({ share, decision: { drawn, backend, hindered: passed } }) => ({
      share,
      drawn,
      backend: backend?.name ?? null,
      hindered: passed,
    }));
    printJson({ rule: rule.name, passed_over: passedOver, ways });
  } else printReport({ asked: asked.trim() || 'a session of which nothing is said', decisions }, renderExplanation);
  return decisions.some(({ decision }) => decision.backend === undefined) ? exitCodes.missed : exitCodes.pass;
}

/** The decision in the middle of each share. */
function ofEachShare(decide: (draw: number) => RouteDecision): { share: number; decision: RouteDecision }[] {
  let begin = 0;
  return Object.values(decide(0).rule.to)
    .filter((share) => share > 0)
    .map((share) => {
      begin += share;
      return { share, decision: decide(begin - share / 2) };
    });
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
