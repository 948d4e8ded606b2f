import { plainSentence } from '../../config/sentences.ts';
import { badConfig, flattenIssues } from '../../config/yaml.ts';
import type { Problem } from '../../errors.ts';
import { routingPolicy } from '../../routing/policy/policy.ts';
import type { PolicySpec } from '../../routing/policy/spec.ts';

/** A sound routing policy, as it was given and as it is read. */
export type SoundPolicy = {
  name: string;
  spec: PolicySpec;
  /** The document as it was written: plain JSON, references to secrets not filled in. */
  given: unknown;
  /** Where a path of the document stands in its file; absent: it was no file. */
  at?: ((path: readonly PropertyKey[]) => string) | undefined;
};

/**
 * The policy that a flag has as its value, checked as one in a file is. `origin` stands before each
 * path: `flag routing: spec.rules.0.to: ...`.
 *
 * @throws SpeechfbError `bad_config` with everything that is wrong
 */
export function policyOfValue(given: unknown, origin: string): SoundPolicy {
  const result = routingPolicy.safeParse(given, { error: plainSentence });
  if (result.success) {
    const { metadata, spec } = result.data;
    return { name: metadata.name, spec, given };
  }
  const problems: Problem[] = flattenIssues(result.error.issues).map(({ path, message }) => ({
    where: origin,
    message: path.length > 0 ? `${path.join('.')}: ${message}` : message,
  }));
  throw badConfig(origin, problems);
}
