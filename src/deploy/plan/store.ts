import type { Problem } from '../../errors.ts';
import type { Figure } from '../document/figure.ts';
import { redisUrlOf, withPasswords } from '../values/redis-url.ts';
import type { DeployInputs } from './inputs.ts';

/** A key of a Secret, and the variable that a container has it in. */
type SecretVariable = { variable: string; secret: string; key: string };

/** The Redis that gateways share: how they come there, and as whom. */
export type StoreFigures = {
  /** What `--store` is told; passwords are named in it and stand in `secrets`. */
  url: Figure;
  /** Every port that is spoken to, those of sentinels too. */
  ports: readonly Figure[];
  secrets: readonly SecretVariable[];
  /** A ConfigMap with `ca.crt`; undefined: Node knows who signs. */
  authority: string | undefined;
  /** Which pods they are; undefined: they are at `addresses`. */
  pods: { namespace: string | undefined; instance: string } | undefined;
  addresses: readonly Figure[];
};

/** Where masters listen, of which sentinels say nothing before they are asked. */
const usualPort = 6379;

export function storeFigures({ values }: DeployInputs): StoreFigures {
  const given = values.value.redis;
  const own = `${values.name}-redis`;
  const url = given.url ?? redisUrlOf(`redis://${own}:${usualPort}/0`);
  const { password, sentinelPassword } = given;
  const variable = (name: string, { secret = own, key }: typeof password) => ({ variable: name, secret, key });
  const at = (key: string) => values.at(['spec', 'redis', key]);
  const from = given.url ? [at('url')] : ['docs/deploy.md'];
  const further = given.ports ?? (url.kind === 'sentinel' ? [usualPort] : []);
  const ports = [...new Set([...url.ports, ...further])].map((value, i) => ({
    name: `redis.ports${i}`,
    value,
    ...(url.ports.includes(value)
      ? { why: `a port that the URL of the store names: ${partnerOf[url.kind]}`, from }
      : {
          why: 'where the Redis listen that others tell of: masters, by what sentinels say, or nodes of a cluster',
          from: given.ports ? [at('ports')] : ['docs/deploy.md'],
        }),
  }));
  return {
    url: {
      name: 'redis.url',
      value: withPasswords(url, envOf(redisPassword), sentinelPassword && envOf(sentinelsPassword)),
      why: `the store of sessions, ${given.url ? 'as given' : "a Redis of the deployment's own"}; each gateway fills in the passwords`,
      from,
    },
    ports,
    secrets: [
      variable(redisPassword, password),
      ...(sentinelPassword ? [variable(sentinelsPassword, sentinelPassword)] : []),
    ],
    authority: given.authority,
    pods: given.addresses ? undefined : { namespace: given.pods?.namespace, instance: given.pods?.instance ?? own },
    addresses: (given.addresses ?? []).map((value, i) => ({
      name: `redis.addresses${i}`,
      value,
      why: 'where Redis is: it is no pod, and all other ways out are shut',
      from: [values.at(['spec', 'redis', 'addresses', i])],
    })),
  };
}

/** What the values say of a Redis that is none of the kind that its URL names. */
export function storeContradictions({ values }: DeployInputs): Problem[] {
  const { url, ports, sentinelPassword, authority, pods, addresses } = values.value.redis;
  const at = (key: string) => values.at(['spec', 'redis', ...(key === 'url' && !url ? [] : [key])]);
  const kind = url?.kind ?? 'redis';
  const problem = (key: string, message: string): Problem => ({ where: at(key), message: `redis.${key}: ${message}` });
  const problems: Problem[] = [];
  if (ports && kind === 'redis')
    problems.push(
      problem(
        'ports',
        `${ports.join(', ')} is where others listen, and the URL at ${at('url')} is that of one Redis; write its port there`,
      ),
    );
  if (sentinelPassword && kind !== 'sentinel')
    problems.push(
      problem(
        'sentinelPassword',
        `names a password of sentinels, and ${at('url')} names none; allowed: redis+sentinel://host:port,host:port/NAME`,
      ),
    );
  if (authority !== undefined && !url?.isSecure)
    problems.push(
      problem(
        'authority',
        `"${authority}" signs certificates, and nothing at ${at('url')} is spoken to by TLS; write rediss${kind === 'redis' ? '' : `+${kind}`}://`,
      ),
    );
  if (pods && addresses)
    problems.push(
      problem('addresses', `are those of no pods, and ${at('pods')} says which pods they are; leave one of them out`),
    );
  return problems;
}

const redisPassword = 'REDIS_PASSWORD';
const sentinelsPassword = 'SENTINEL_PASSWORD';
/** What `serve --store` fills in by itself. */
const envOf = (variable: string) => `\${env:${variable}}`;

const partnerOf = {
  redis: 'that of Redis',
  sentinel: 'that of sentinels',
  cluster: 'that of nodes of the cluster',
} as const;
