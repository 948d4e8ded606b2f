import type { Tree, TreeMap } from '../document/figure.ts';
import type { StoreFigures } from '../plan/store.ts';

/** Where a gateway has the authority of its store's certificates: below /etc/speechfb. */
export const storeVolume = 'redis';

/** What a gateway's container is told of its store beside `--store`. */
export function storeEnvironment({ secrets, authority }: StoreFigures): Tree[] {
  return [
    ...secrets.map(({ variable, secret, key }) => ({
      name: variable,
      valueFrom: { secretKeyRef: { name: secret, key } },
    })),
    ...(authority === undefined ? [] : [{ name: 'NODE_EXTRA_CA_CERTS', value: `/etc/speechfb/${storeVolume}/ca.crt` }]),
  ];
}

/** The way out of gateways to the store, as a NetworkPolicy has it. */
export function wayToStore({ pods, addresses, ports }: StoreFigures): TreeMap {
  const to = pods ? [podsOf(pods)] : addresses.map((cidr) => ({ ipBlock: { cidr } }));
  return { to, ports: ports.map((port) => ({ protocol: 'TCP', port })) };
}

function podsOf({ namespace, instance }: NonNullable<StoreFigures['pods']>): TreeMap {
  return {
    ...(namespace !== undefined && {
      namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } },
    }),
    podSelector: { matchLabels: { 'app.kubernetes.io/instance': instance } },
  };
}
