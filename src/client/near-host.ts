import { isIP } from 'node:net';

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
