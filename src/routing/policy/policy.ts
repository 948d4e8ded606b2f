import { z } from 'zod';
import { despiteProblems, section, text, word } from '../../config/fields.ts';
import { checkPolicy } from './check.ts';
import { policySpec } from './spec.ts';

/**
 * A routing policy as its YAML file describes it: shares of 1, dollars an hour or an audio minute.
 */
export const routingPolicy = section({
  apiVersion: word('speechfb.dev/v1alpha1').optional(),
  kind: word('RoutingPolicy'),
  metadata: section({ name: text('a name'), description: text('a sentence').optional() }).prefault({ name: 'routing' }),
  spec: policySpec.superRefine(checkPolicy, despiteProblems),
});

/** The JSON Schema (2020-12) that editors use; kept current in schemas/routing.schema.json. */
export function routingJsonSchema(): object {
  return {
    title: 'speechfb RoutingPolicy',
    ...z.toJSONSchema(routingPolicy, { io: 'input', target: 'draft-2020-12' }),
  };
}
