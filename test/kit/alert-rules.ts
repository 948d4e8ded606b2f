import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';

export type Rule = {
  record?: string;
  alert?: string;
  expr: string;
  labels?: Readonly<Record<string, string>>;
  annotations?: { runbook_url?: string };
};

/** Every rule that ships for Prometheus, of the service and of what is promised. */
export function shippedRules(): Rule[] {
  return ['deploy/observability/service.rules.yaml', 'slo/live-feedback.rules.yaml'].flatMap((file) =>
    (parse(readFileSync(join(root, file), 'utf8')) as { groups: { rules: Rule[] }[] }).groups.flatMap(
      ({ rules }) => rules,
    ),
  );
}

const root = join(import.meta.dirname, '../..');
