import { z } from 'zod';
import { despiteProblems, section, text, word } from '../../config/fields.ts';
import { checkTenants } from './check-tenants.ts';
import { tenantsSpec } from './tenants-spec.ts';

/**
 * The callers of a server and their terms as a YAML file describes them: tenants with caps and API
 * tokens, and the issuers of the JWTs that are believed.
 */
export const tenantsFile = section({
  apiVersion: word('speechfb.dev/v1alpha1').optional(),
  kind: word('Tenants'),
  metadata: section({ name: text('a name'), description: text('a sentence').optional() }).prefault({ name: 'tenants' }),
  spec: tenantsSpec.superRefine(checkTenants, despiteProblems),
});

/** The JSON Schema (2020-12) that editors use; kept current in schemas/tenants.schema.json. */
export function tenantsJsonSchema(): object {
  return { title: 'speechfb Tenants', ...z.toJSONSchema(tenantsFile, { io: 'input', target: 'draft-2020-12' }) };
}
