import { z } from 'zod';
import { integer, section, text, throughUnit } from '../../config/fields.ts';
import { isNot } from '../../config/sentences.ts';
import { addressRange, dnsLabel, dnsName, nodeLabelValue } from './fields.ts';
import { redisUrlOf } from './redis-url.ts';

const secretKey = (example: string) =>
  section({
    /** Left out: NAME-redis. */
    secret: dnsName('the name of a Secret', 'speechfb-redis').optional(),
    key: text('a key of a Secret').regex(/^[-.\w]{1,253}$/, {
      error: (issue) => isNot(issue.input, `a key of a Secret such as ${example}`),
    }),
  });

/** The Redis that gateways share, as the values name it. */
export const redisSection = section({
  /** As `serve --store` takes it, without passwords. Left out: redis://NAME-redis:6379/0. */
  url: text('a URL such as redis+sentinel://host:26379,host2:26379/NAME')
    .regex(/^[^\s"']+$/, {
      error: () => 'has a blank or a quote in it; write redis://host:6379/0 or the like',
      abort: true,
    })
    .transform(throughUnit(redisUrlOf))
    .optional(),
  password: secretKey('password').prefault({ key: 'password' }),
  /** Left out: sentinels want none. */
  sentinelPassword: secretKey('sentinel-password').optional(),
  /** Where masters that sentinels name, or further nodes of a cluster, listen. */
  ports: z.array(integer(1, 65_535)).min(1).max(8).optional(),
  /** A ConfigMap with `ca.crt`: who signs their certificates. Left out: who is known to Node. */
  authority: dnsName('the name of a ConfigMap', 'redis-ca').optional(),
  /** Which pods they are. Left out: those of the instance NAME-redis in the same namespace. */
  pods: section({
    namespace: dnsLabel('a namespace', 'data').optional(),
    instance: nodeLabelValue('an instance, as app.kubernetes.io/instance says', 'speechfb-redis').optional(),
  }).optional(),
  /** Where they are, if they are no pods of this cluster. */
  addresses: z.array(addressRange).min(1).max(16).optional(),
});
