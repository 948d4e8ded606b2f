import { isNear } from '../../client/near-host.ts';
import { badConfig } from '../../config/yaml.ts';
import { SpeechfbError } from '../../errors.ts';
import type { LoadScenario } from '../../load/scenario/scenario.ts';

/**
 * Refuses a target that belongs to somebody else, as far as its name tells, unless its host was
 * named as one that may be loaded: in `target.consent`, or `given` behind --yes-load. Nothing has
 * been sent to it before, not even a question for its address. Throws `bad_config` or `no_consent`.
 */
export function checkConsent({ spec, file, at }: LoadScenario, given: string | undefined): void {
  const { url, alsoAt = [], consent } = spec.target;
  if (url === undefined) return;
  for (const [place, { hostname }] of [url, ...alsoAt].entries()) {
    const key = place === 0 ? 'url' : 'alsoAt';
    checkHost({ hostname, consent, given, key }, file, at(['spec', 'target', 'consent']), at(['spec', 'target', key]));
  }
}

type Host = { hostname: string; consent: string | undefined; given: string | undefined; key: string };

function checkHost({ hostname, consent, given, key }: Host, file: string, consentAt: string, urlAt: string): void {
  if (consent !== undefined && consent.toLowerCase() !== hostname.toLowerCase()) {
    const message = `spec.target.consent: is for "${consent}", but target.${key} leads to "${hostname}"`;
    throw badConfig(file, [{ where: consentAt, message }]);
  }
  if (given !== undefined && given.toLowerCase() !== hostname.toLowerCase())
    throw new SpeechfbError('no_consent', `--yes-load is for "${given}", but the target is "${hostname}"`);
  if (consent !== undefined || given !== undefined || isNear(hostname)) return;
  throw new SpeechfbError('no_consent', `${hostname} may belong to others, who would feel the load and may bill it`, {
    problems: [{ where: urlAt, message: `spec.target.${key}: is beyond loopback and private addresses` }],
    hint: `if you may load it, say so with --yes-load ${hostname}, or with consent: ${hostname} in spec.target`,
  });
}
