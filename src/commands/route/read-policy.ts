import { parseDocuments } from '../../config/documents.ts';
import { SpeechfbError } from '../../errors.ts';
import { routingPolicy } from '../../routing/policy/policy.ts';
import type { PolicySpec } from '../../routing/policy/spec.ts';

export type NamedPolicy = { name: string; spec: PolicySpec };

/**
 * The policy in the text of a file.
 *
 * @throws SpeechfbError `bad_config` with each problem at its line
 */
export function parsePolicy(file: string, text: string): NamedPolicy {
  const [first, second] = parseDocuments(file, text, 'RoutingPolicy', routingPolicy);
  if (second)
    throw new SpeechfbError(
      'bad_config',
      `${file} has two policies, "${first!.name}" and "${second.name}"; one is in force at a time`,
    );
  return { name: first!.value.metadata.name, spec: first!.value.spec };
}
