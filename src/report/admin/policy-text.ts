import type { PolicyDocument, PolicySetAnswer } from '../../admin/policy-document.ts';
import { folded } from '../terminal/fold.ts';
import type { Paint } from '../terminal/paint.ts';

/** The policy in force, and how it came to be. */
export function policyText(document: PolicyDocument, paint: Paint, columns?: number): string {
  const { name, version, origin, withdrawn_canaries: withdrawn, canary, policy } = document;
  const lines = [
    paint.bold(`policy ${name}, version ${version} since the server started, from ${origin}`),
    ...(canary ? [`canary ${canary.name}: ${canary.verdict}: ${canary.why}`] : []),
    ...(withdrawn.length > 0 ? [`rolled back, and away until they have another name: ${withdrawn.join(', ')}`] : []),
  ];
  return `${folded(lines.join('\n'), columns ?? 120)}\n${JSON.stringify(policy, null, 2)}\n`;
}

/** What was changed, place by place. */
export function policySetText(answer: PolicySetAnswer, paint: Paint, columns?: number): string {
  const { changed, changes, version, audit } = answer;
  if (!changed) return 'this policy is in force already: nothing was changed\n';
  const lines = [
    paint.good(`version ${version} is in force; the audit log has it as entry ${audit.seq}`),
    ...changes.map(({ path, from, to }) => `  ${path}: ${valueText(from)} -> ${valueText(to)}`),
  ];
  return `${folded(lines.join('\n'), columns ?? 120)}\n`;
}

function valueText(value: unknown): string {
  return value === undefined ? '(nothing)' : JSON.stringify(value);
}
