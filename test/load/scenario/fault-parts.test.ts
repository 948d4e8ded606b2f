import { describe, expect, it } from 'vitest';
import { parseConfig } from '../../../src/config/yaml.ts';
import { loadScenario } from '../../../src/load/scenario/scenario.ts';
import { serverCount, storeCommand } from '../../../src/load/scenario/serve-args.ts';
import { problemsOf } from '../../kit/problems.ts';

describe('a fault of a part that the embedded server', () => {
  it.each([
    [
      'has not: a node',
      '{ nodes: 2 }',
      'killNode: { at: 1s, for: 1s, node: 3 }',
      'there is no node 3: target.embedded.nodes is 2',
    ],
    [
      'has not: any node',
      '{}',
      'stopNode: { at: 1s, for: 1s, node: 1 }',
      'there is no node 1: target.embedded.nodes is not given',
    ],
    [
      'has not: a gateway',
      '{ nodes: 1, gateways: 2 }',
      'killGateway: { at: 1s, for: 1s, gateway: 3 }',
      'there is no gateway 3: target.embedded.gateways is 2',
    ],
    [
      'has behind one port',
      '{ gateways: 4 }',
      'stopGateway: { at: 1s, for: 1s, gateway: 2 }',
      'there is no gateway 2: target.embedded.gateways is 1',
    ],
    [
      'has not: a store',
      '{ nodes: 1, gateways: 2 }',
      'killRedis: { at: 1s, for: 1s }',
      'killRedis: needs a store: write target.embedded.store: redis',
    ],
    [
      'cannot have: another store',
      '{ store: etcd }',
      'killInference: { at: 1s }',
      'target.embedded.store: "etcd" is not a store; allowed: redis',
    ],
    [
      'has not: a zone',
      '{ nodes: 4, zones: 2 }',
      'killZone: { at: 1s, for: 1s, zone: 3 }',
      'there is no zone 3: target.embedded.zones is 2',
    ],
    [
      'has not: any zone',
      '{ nodes: 4 }',
      'killZone: { at: 1s, for: 1s, zone: 1 }',
      'there is no zone 1: target.embedded.zones is not given',
    ],
    [
      'has, but empty',
      '{ nodes: 2, zones: 3 }',
      'killZone: { at: 1s, for: 1s, zone: 3 }',
      'target.embedded.zones: is 3, but there are 2 nodes: a zone would be empty',
    ],
    [
      'has without nodes',
      '{ zones: 2 }',
      'killZone: { at: 1s, for: 1s, zone: 1 }',
      'target.embedded.zones: is for a server with nodes; write nodes beside it',
    ],
    [
      'has at its nodes: a model',
      '{ nodes: 2 }',
      'failInference: { at: 1s }',
      'failInference: hurts the model of a server without nodes',
    ],
    [
      'has not: certificates',
      '{ nodes: 2 }',
      'expireCertificates: { at: 1s, for: 1s }',
      'expireCertificates: needs certificates: write target.embedded.tls: true',
    ],
    [
      'has not: a Kafka',
      '{ store: redis }',
      'stopKafka: { at: 1s, for: 1s }',
      'stopKafka: needs a Kafka: write target.embedded.handoff: kafka',
    ],
    [
      'has not: another worker',
      '{ store: redis, handoff: kafka }',
      'killWorker: { at: 1s, for: 1s, worker: 2 }',
      'there is no worker 2: target.embedded.workers is 1',
    ],
    [
      'has not: any worker',
      '{ store: redis }',
      'killWorker: { at: 1s, for: 1s, worker: 1 }',
      'there is no worker 1: target.embedded.workers is not given',
    ],
    [
      'cannot have: a Kafka without a store',
      '{ handoff: kafka }',
      'killKafka: { at: 1s, for: 1s }',
      'target.embedded.handoff: needs a store for keys and results; write store: redis beside it',
    ],
    [
      'cannot have: another queue',
      '{ store: redis, handoff: rabbit }',
      'killKafka: { at: 1s, for: 1s }',
      'target.embedded.handoff: "rabbit" is nothing that hands over; allowed: kafka',
    ],
    [
      'cannot have: workers without work',
      '{ store: redis, workers: 2 }',
      'killInference: { at: 1s }',
      'target.embedded.workers: is for a server that hands over; write handoff: kafka beside it',
    ],
    ['has not for so long', '{ store: redis }', 'slowRedis: { at: 1s, for: 1s }', 'slowRedis.by: is missing'],
  ])('%s is refused', (_, embedded, fault, problem) => {
    expect(problemsOf(() => parse(embedded, fault))).toContain(problem);
  });

  it.each([
    [
      '{ nodes: 2, gateways: 2, store: redis }',
      'killGateway: { at: 1s, for: 1s, gateway: 2 }',
      2,
      { isRelayed: false, hasReplica: false },
    ],
    [
      '{ gateways: 3, store: redis }',
      'slowRedis: { at: 1s, for: 1s, by: 2s }',
      3,
      { isRelayed: true, hasReplica: false },
    ],
    ['{ store: redis }', 'failOverRedis: { at: 1s, for: 1s }', 1, { isRelayed: true, hasReplica: true }],
    ['{ gateways: 3 }', 'killGateway: { at: 1s, for: 1s, gateway: 1 }', 1, undefined],
  ])('of %s has suffers %s, at so many servers, with a store that is fit for it', (embedded, fault, servers, store) => {
    const { spec } = parse(embedded, fault);
    expect(serverCount(spec.target.embedded)).toBe(servers);
    expect(storeCommand(spec.target.embedded, spec.faults)).toEqual(store);
  });
});

function parse(embedded: string, fault: string) {
  const source = `apiVersion: speechfb.dev/v1alpha1
kind: LoadScenario
metadata: { name: x }
spec:
  target: { embedded: ${embedded} }
  learners: { clips: x.jsonl }
  load: { learners: 2 }
  duration: 10s
  faults: [{ ${fault} }]
  objectives: [availability >= 99%]
`;
  return parseConfig('x.yaml', source, loadScenario);
}
