import { z } from 'zod';
import { duration, integer, oneOf, percentField, section, text, word } from '../../config/fields.ts';
import { isNot } from '../../config/sentences.ts';
import {
  addressRange,
  dnsLabel,
  dnsName,
  imageReference,
  nodeLabelKey,
  nodeLabelValue,
  openUrl,
  publicHost,
  quantity,
  releaseName,
  wholeCores,
} from './fields.ts';
import { redisSection } from './redis.ts';

const hourMs = 3_600_000;

const region = section({
  /** As a region of the capacity scenario is called; `serve --region` gets it. */
  name: dnsLabel('the name of a region', 'eu'),
  /** `stays`: nothing that is heard leaves the region. */
  residency: oneOf(['stays', 'may-leave']),
  /** What the machines there are labelled with: `topology.kubernetes.io/region`. */
  cluster: nodeLabelValue('the region of the machines', 'eu-west-1'),
});

/** Whatever no measurement says: names, places, machines, how long a drain may take. */
const spec = section({
  namespace: dnsLabel('a namespace', 'speechfb').default('speechfb'),
  image: imageReference('registry.example.com/speechfb:0.1.0'),
  /** Where learners call. */
  host: publicHost('speech.example.com'),
  /** The class of the Gateway API that ends TLS and weighs versions. */
  gatewayClass: dnsName('a gateway class', 'envoy').default('envoy'),
  prometheus: openUrl('the address of Prometheus', 'http://prometheus.monitoring:9090').default(
    'http://prometheus.monitoring:9090',
  ),
  /** Left out: what the capacity scenario plays. */
  autoscaler: oneOf(['hpa', 'keda']).optional(),
  /** How a new version goes out: by Argo Rollouts, or two Deployments and a Job that judges. */
  rollout: oneOf(['none', 'job', 'rollouts', 'blue-green']).optional(),
  inference: section({
    /** Whole cores: only those can be a pod's own. */
    cpu: wholeCores(1000).optional(),
    memory: quantity('2Gi').optional(),
    gpus: integer(0, 16).default(0),
    drain: duration(1000, hourMs).prefault('60s'),
    gracePeriod: duration(1000, 2 * hourMs).optional(),
  }).prefault({}),
  gateway: section({
    sessions: integer(1, 1_000_000).optional(),
    memory: quantity('2Gi').optional(),
    drain: duration(1000, hourMs).prefault('10s'),
    gracePeriod: duration(1000, 2 * hourMs).optional(),
  }).prefault({}),
  /** How the API server reaches the gateways' admin plane; read where the autoscaler is an HPA. */
  admin: section({
    /** The authority of the certificate in NAME-admin. Left out: cert-manager fills it in. */
    caBundle: text('PEM certificates in base64')
      .regex(/^LS0tLS1CRUdJTi[A-Za-z0-9+/]+={0,2}$/, {
        error: (issue) =>
          isNot(issue.input, 'PEM certificates in base64 in one line, such as base64 -w0 ca.crt writes'),
      })
      .optional(),
    /** One of `requestheader-allowed-names` of kube-system/extension-apiserver-authentication. */
    frontProxyName: text('the common name of the certificate that the API server shows')
      .regex(/^[\w.:-]+$/, {
        error: (issue) => isNot(issue.input, 'a common name such as front-proxy-client'),
      })
      .default('front-proxy-client'),
  }).prefault({}),
  /** Where nodes tell what it costs to delete their pods. Left out: they tell nobody. */
  apiServer: section({
    addresses: z.array(addressRange).min(1).max(16),
    ports: z.array(integer(1, 65_535)).min(1).max(8).default([443, 6443]),
  }).optional(),
  /** The Redis that gateways share. */
  redis: redisSection.prefault({}),
  spot: section({
    /** Share of the inference pods that is never bought as spot. */
    floor: percentField(0, 1),
    /** The label by which the cluster tells spot machines. */
    label: nodeLabelKey('karpenter.sh/capacity-type').default('karpenter.sh/capacity-type'),
    value: nodeLabelValue('the value of a label', 'spot').default('spot'),
  }).optional(),
  regions: z.array(region).min(1).optional(),
});

/** A deployment as its YAML file describes it: durations in ms, shares of 1. */
export const deployValuesFile = section({
  apiVersion: word('speechfb.dev/v1alpha1').optional(),
  kind: word('DeployValues'),
  metadata: section({ name: releaseName('a name', 'speechfb'), description: text('a sentence').optional() }),
  spec,
});

export type DeployValues = z.output<typeof spec>;

/** The JSON Schema (2020-12) that editors use; kept current in schemas/deploy.schema.json. */
export function deployJsonSchema(): object {
  return {
    title: 'speechfb DeployValues',
    ...z.toJSONSchema(deployValuesFile, { io: 'input', target: 'draft-2020-12' }),
  };
}
