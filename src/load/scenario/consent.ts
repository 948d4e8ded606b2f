import { isIP } from 'node:net';
import { badConfig } from '../../config/yaml.ts';
import { SpeechfbError } from '../../errors.ts';
import type { LoadScenario } from './scenario.ts';

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

/**
 * Whether a host is this machine or of a private network, by its name alone: private and link-local
 * addresses (RFC 1918, 3927, 4193, 4291, 6598), names without a dot, and domains that nobody owns
 * (RFC 6761, 6762, 8375, and `internal`, which ICANN has reserved).
 */
export function isNear(host: string): boolean {
  if (isIP(host) === 4) return privateV4.some((pattern) => pattern.test(host));
  if (isIP(host) === 6)
    return /^(::1$|f[cd]|fe[89ab])/i.test(host) || isNear(/^::ffff:([\d.]+)$/i.exec(host)?.[1] ?? 'x.y');
  const name = host.toLowerCase().replace(/\.$/, '');
  return !name.includes('.') || /\.(localhost|local|internal|test|home\.arpa|svc)$/.test(name);
}

const privateV4 = [
  /^127\./,
  /^10\./,
  /^192\.168\./,
  /^172\.(1[6-9]|2\d|3[01])\./,
  /^169\.254\./,
  /^100\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7])\./,
  /^0\.0\.0\.0$/,
];
