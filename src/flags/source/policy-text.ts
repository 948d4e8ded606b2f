import { z } from 'zod';
import { parseDocuments } from '../../config/documents.ts';
import { SpeechfbError } from '../../errors.ts';
import { routingPolicy } from '../../routing/policy/policy.ts';
import type { SoundPolicy } from './policy-value.ts';

/**
 * The policy in the text of a file.
 * @throws SpeechfbError `bad_config` with each problem at its line
 */
export function policyOfText(file: string, text: string): SoundPolicy {
  const [first, second] = parseDocuments(file, text, 'RoutingPolicy', routingPolicy);
  if (second) throw new SpeechfbError('bad_config', `${file} has two policies; one is in force at a time`);
  const { value, at } = first!;
  const { metadata, spec } = value;
  // A file may have documents of other kinds beside it.
  const [written] = parseDocuments(file, text, 'RoutingPolicy', z.unknown());
  return { name: metadata.name, spec, given: written!.value, at };
}
