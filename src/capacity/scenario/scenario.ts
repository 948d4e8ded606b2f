import { z } from 'zod';
import { despiteProblems, section, text, word } from '../../config/fields.ts';
import { checkCapacityScenario } from './check.ts';
import { capacitySpec } from './spec.ts';

/**
 * A capacity and cost scenario as its YAML file describes it: durations in ms, shares of 1, dollars
 * an hour or minute.
 */
export const capacityScenario = section({
  apiVersion: word('speechfb.dev/v1alpha1').optional(),
  kind: word('CapacityScenario'),
  metadata: section({ name: text('a name'), description: text('a sentence').optional() }).prefault({
    name: 'capacity',
  }),
  spec: capacitySpec.superRefine(checkCapacityScenario, despiteProblems),
});

/** The JSON Schema (2020-12) that editors use; kept current in schemas/capacity.schema.json. */
export function capacityJsonSchema(): object {
  return {
    title: 'speechfb CapacityScenario',
    ...z.toJSONSchema(capacityScenario, { io: 'input', target: 'draft-2020-12' }),
  };
}
