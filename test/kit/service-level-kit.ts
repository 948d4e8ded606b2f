import { parseConfig } from '../../src/config/yaml.ts';
import { type ServiceLevel, serviceLevelFile, serviceLevelOf } from '../../src/slo/service-level/service-level.ts';

/** A service level from YAML, as the commands read it. */
export function levelOf(yaml: string): ServiceLevel {
  return serviceLevelOf(parseConfig('level.yaml', yaml, serviceLevelFile));
}

/** A document with one objective of 99.9 % over 30 days and the lines given in its spec. */
export function oneObjective(specLines = '', target = '99.9%'): string {
  return `apiVersion: speechfb.dev/v1alpha1
kind: ServiceLevel
metadata: {name: reading}
spec:
  service: speechfb
  objectives:
    - name: availability
      target: ${target}
      indicator: {events: {bad: bad_total, total: all_total}}
${specLines}`;
}
