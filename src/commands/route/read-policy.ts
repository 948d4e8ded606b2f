import { parseDocuments } from '../../config/documents.ts';
import { SpeechfbError } from '../../errors.ts';
import { notesOf } from '../../routing/policy/notes.ts';
import { routingPolicy } from '../../routing/policy/policy.ts';
import type { PolicySpec } from '../../routing/policy/spec.ts';

export type NamedPolicy = {
  name: string;
  spec: PolicySpec;
  /** What may be a slip, each at its `file:line:column`. */
  notes: readonly { where: string; message: string }[];
};

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
  const { value, at } = first!;
  const notes = notesOf(value.spec).map(({ path, message }) => ({ where: at(['spec', ...path]), message }));
  return { name: value.metadata.name, spec: value.spec, notes };
}
