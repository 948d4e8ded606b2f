import type { Figure, TreeMap } from '../document/figure.ts';
import { metadata, type Names, nameOfPart, partLabels, roleLabels } from './names.ts';
import { ports } from './ports.ts';

/** All nodes by one name, which gateways look up: `--node dns:NAME:PORT`. */
export function nodesService(names: Names): TreeMap {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: metadata(names, nameOfPart(names, { role: 'inference' })),
    spec: {
      clusterIP: 'None',
      // A node that moves its sessions away must stay findable until the last has gone.
      publishNotReadyAddresses: true,
      selector: roleLabels(names, 'inference'),
      ports: [{ name: 'trunk', port: ports.trunk, targetPort: 'trunk' }],
    },
  };
}

/** Gateways of one version, or of all where one workload has both. */
export function gatewayService(names: Names, version: 'all' | 'stable' | 'canary'): TreeMap {
  const name = nameOfPart(names, { role: 'gateway', ...(version === 'canary' && { variant: 'canary' }) });
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: metadata(names, name),
    spec: {
      selector: gatewayLabels(names, version),
      ports: [{ name: 'stream', port: ports.stream, targetPort: 'stream', appProtocol: 'kubernetes.io/ws' }],
    },
  };
}

/** What selects the gateways of one version, or all. */
export function gatewayLabels(names: Names, version: 'all' | 'stable' | 'canary'): TreeMap {
  if (version === 'all') return roleLabels(names, 'gateway');
  return partLabels(names, { role: 'gateway', ...(version === 'canary' && { variant: 'canary' }) });
}

export function edgeGateway(names: Names, gatewayClassName: string, hostname: string): TreeMap {
  const certificateRefs = [{ kind: 'Secret', name: `${names.release}-edge` }];
  return {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'Gateway',
    metadata: metadata(names, names.release),
    spec: {
      gatewayClassName,
      listeners: [
        { name: 'wss', protocol: 'HTTPS', port: ports.tls, hostname, tls: { mode: 'Terminate', certificateRefs } },
      ],
    },
  };
}

/**
 * Sends each new connection to one version by its weight. A session is one connection, and stays
 * with the version that it began with.
 */
export function streamRoute(
  names: Names,
  hostname: string,
  weights: { stable: Figure; canary: Figure } | undefined,
): TreeMap {
  const backend = (name: string, weight?: Figure): TreeMap => ({ name, port: ports.stream, ...(weight && { weight }) });
  const stable = nameOfPart(names, { role: 'gateway' });
  const canary = nameOfPart(names, { role: 'gateway', variant: 'canary' });
  return {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'HTTPRoute',
    metadata: metadata(names, names.release),
    spec: {
      parentRefs: [{ name: names.release }],
      hostnames: [hostname],
      rules: [
        {
          matches: [{ path: { type: 'PathPrefix', value: '/v1/' } }],
          // A session lasts as long as its learner reads.
          timeouts: { request: '0s' },
          backendRefs: weights ? [backend(stable, weights.stable), backend(canary, weights.canary)] : [backend(stable)],
        },
      ],
    },
  };
}
