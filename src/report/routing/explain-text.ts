import type { RouteDecision } from '../../routing/decide/decide.ts';
import { folded } from '../terminal/fold.ts';
import type { Paint } from '../terminal/paint.ts';
import { sharesText } from './policy-text.ts';

/** The same question for each share of the rule that fits it. */
export type ExplainedRoute = { asked: string; decisions: readonly { share: number; decision: RouteDecision }[] };

/** Which rule wins, why those above do not, and where each share of its sessions ends up. */
export function renderExplanation(
  { asked, decisions }: ExplainedRoute,
  paint: Paint,
  columns: number | undefined,
): string {
  const { rule, passedOver } = decisions[0]!.decision;
  const lines = [
    paint.bold(asked),
    ...passedOver.map(({ rule: name, why }) => `  - ${name}: ${why}`),
    paint.good(`  ✓ ${rule.name}: ${sharesText(rule.to)}`),
    ...decisions.map(({ share, decision }) => `    ${wayText(share, decision, paint)}`),
  ];
  return `${folded(lines.join('\n'), columns ?? 200)}\n`;
}

function wayText(share: number, { drawn, variant, backend, hindered }: RouteDecision, paint: Paint): string {
  const part =
    share < 1
      ? `${Number((share * 100).toPrecision(6))} % draw ${drawn}${variant === 'canary' ? ', for the canary' : ''}: `
      : '';
  const passed = hindered.map(({ backend: name, why }) => `${name} is ${why}`).join(', ');
  if (backend === undefined) return paint.bad(`${part}refused: ${passed}, and nobody is left`);
  const says = passed === '' ? `to ${backend.name}` : `${passed}; to ${backend.name}`;
  return `${part}${says} (${backend.kind}, $${Number(backend.price.toPrecision(6))}/min)`;
}
