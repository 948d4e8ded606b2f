import { groupsNote } from '../../capacity/plan/notes.ts';
import type { CapacityResult } from '../../capacity/plan/result.ts';
import type { Output, TracedFigure } from '../../deploy/output.ts';
import { dollars, numberText, percentText } from '../../format.ts';
import type { Paint } from '../terminal/paint.ts';

/** A deployment, what it was written as, and whether each number is to be told. */
export type ShownDeployment = { name: string; played: CapacityResult; output: Output; explain: boolean };

/** The files, what the played scenario came to, and with `--explain` why each number is so. */
export function renderDeployment({ name, played, output, explain }: ShownDeployment, paint: Paint): string {
  const { simulation, assertions } = played;
  const rough = groupsNote(simulation);
  const price = simulation.cost.per_served_minute;
  const lines = [
    paint.bold(`${name}: ${output.files.length} files`),
    ...output.files.map(({ path }) => `  ${path}`),
    '',
    ...(explain ? [...output.figures.flatMap((figure) => figureLines(figure, paint)), ''] : []),
    'the scenario, played with these autoscalers:',
    `  ${percentText(simulation.degraded_share)} of the stream-minutes without feedback, p95 wait ${waitText(simulation.p95_wait_ms)}, ` +
      `${numberText(simulation.peak_pods)} pods at the most${price === null ? '' : `, ${dollars(price)} a served minute`}`,
    ...(rough === undefined ? [] : [`  ${rough}`]),
    ...assertions.map(
      ({ expression, verdict }) => `  ${(verdict === 'pass' ? paint.good : paint.bad)(verdict)} ${expression}`,
    ),
    ...(assertions.length === 0 ? ['  nothing was asserted: write assert in the scenario'] : []),
  ];
  return `${lines.join('\n')}\n`;
}

/** The same as one JSON document. */
export function deploymentJson({ name, played, output }: ShownDeployment): object {
  const { simulation, assertions, verdict } = played;
  const { timeline: _, ...outcome } = simulation;
  return {
    name,
    verdict,
    files: output.files.map(({ path }) => path),
    figures: output.figures,
    played: outcome,
    assertions,
  };
}

function figureLines({ name, value, why, from, places }: TracedFigure, paint: Paint): string[] {
  return [
    `${paint.bold(`${name} = ${value}`)}`,
    `  ${why}`,
    `  from ${[...new Set(from)].join(', ')}`,
    ...places.map((place) => `  in ${place}`),
  ];
}

function waitText(ms: number | null): string {
  return ms === null ? 'without end' : `${Math.round(ms)} ms`;
}
