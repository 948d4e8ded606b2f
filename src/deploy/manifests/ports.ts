import type { Figure } from '../document/figure.ts';

const port = (name: string, value: number, why: string): Figure => ({
  name: `ports.${name}`,
  value,
  why,
  from: ['docs/deploy.md'],
});

/** Where what listens; all but DNS and TLS are choices that nothing else depends on. */
export const ports = {
  stream: port('stream', 8090, 'learners, from the balancer in front, which ends TLS'),
  trunk: port('trunk', 8091, "gateways' trunks, with certificates on both ends"),
  watch: port('watch', 9091, '/livez, /readyz and /metrics of an inference node'),
  admin: port('admin', 8095, "the gateways' admin plane, with TLS: Kubernetes' autoscaler asks it for slots"),
  dns: port('dns', 53, 'names of nodes and of the store'),
  tls: port('tls', 443, 'learners, wss://'),
} as const;
