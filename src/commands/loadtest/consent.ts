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
  const { url, consent } = spec.target;
  if (url === undefined) return;
  const { hostname } = url;
  if (consent !== undefined && consent.toLowerCase() !== hostname.toLowerCase()) {
    const message = `spec.target.consent: is for "${consent}", but target.url leads to "${hostname}"`;
    throw badConfig(file, [{ where: at(['spec', 'target', 'consent']), message }]);
  }
  if (given !== undefined && given.toLowerCase() !== hostname.toLowerCase())
    throw new SpeechfbError('no_consent', `--yes-load is for "${given}", but the target is "${hostname}"`);
  if (consent !== undefined || given !== undefined || isNear(hostname)) return;
  throw new SpeechfbError('no_consent', `${hostname} may belong to others, who would feel the load and may bill it`, {
    problems: [
      { where: at(['spec', 'target', 'url']), message: 'spec.target.url: is beyond loopback and private addresses' },
    ],
    hint: `if you may load it, say so with --yes-load ${hostname}, or with consent: ${hostname} in spec.target`,
  });
}
