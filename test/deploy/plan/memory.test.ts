import { describe, expect, it } from 'vitest';
import { formatError, SpeechfbError } from '../../../src/errors.ts';
import { manifestsOf, planOf, type Sources, shippedSources } from '../../kit/deployments.ts';
import { temporaryDirectory } from '../../kit/temporary-directory.ts';

const folder = temporaryDirectory();
const shipped: Sources = shippedSources();
const measured = (memory: string, turn = '60s') =>
  shipped.capacity.replace('startup: 120s}', `startup: 120s, memory: {turn: ${turn}, ${memory}}}`);
const node = (points: string) => measured(`inference: [${points}]`);
const gateway = (points: string, turn?: string) => measured(`gateway: [${points}]`, turn);
const inference = (given: string) => shipped.values.replace('inference: {', `inference: {memory: ${given}, `);

/** What a container asks for and is held to: 300 sessions a node, 625 a gateway. */
function memoryOf(sources: Partial<Sources>, role: 'inference' | 'gateway'): string {
  const workload = manifestsOf(planOf(folder, { ...shipped, ...sources })).find(
    ({ kind, metadata }) => kind === 'Deployment' && metadata.name === `speechfb-${role}`,
  ) as unknown as { spec: { template: { spec: { containers: { resources: Resources }[] } } } };
  const { requests, limits } = workload.spec.template.spec.containers[0]!.resources;
  expect(limits).toEqual(requests);
  return requests.memory;
}
type Resources = Record<'requests' | 'limits', { memory: string }>;

describe('memory of a pod is what was measured with as many sessions, and a quarter more', () => {
  it.each<[string, Partial<Sources>, 'inference' | 'gateway', string]>([
    [
      'measured at that number',
      { capacity: node('{sessions: 0, peak: 300Mi}, {sessions: 300, peak: 1Gi}') },
      'inference',
      '1280Mi',
    ],
    [
      'at the next larger number',
      { capacity: node('{sessions: 0, peak: 300Mi}, {sessions: 400, peak: 800Mi}') },
      'inference',
      '1024Mi',
    ],
    [
      'no point beyond that counts',
      { capacity: node('{sessions: 0, peak: 300Mi}, {sessions: 300, peak: 400Mi}, {sessions: 900, peak: 4Gi}') },
      'inference',
      '512Mi',
    ],
    [
      'less at more sessions takes nothing back',
      { capacity: node('{sessions: 50, peak: 800Mi}, {sessions: 300, peak: 500Mi}') },
      'inference',
      '1024Mi',
    ],
    [
      'beyond the last point as steep as to it',
      { capacity: node('{sessions: 0, peak: 200Mi}, {sessions: 100, peak: 400Mi}') },
      'inference',
      '1024Mi',
    ],
    [
      'turns as long as those measured',
      { capacity: gateway('{sessions: 0, peak: 200Mi}, {sessions: 625, peak: 800Mi}') },
      'gateway',
      '1024Mi',
    ],
    [
      'longer turns: their sound, 625 x 40 % x 30 s x 32 kB',
      { capacity: gateway('{sessions: 0, peak: 200Mi}, {sessions: 625, peak: 800Mi}', '30s') },
      'gateway',
      '1408Mi',
    ],
    ['given', { values: inference('3Gi') }, 'inference', '3Gi'],
  ])('%s', (_, sources, role, expected) => {
    expect(memoryOf(sources, role)).toBe(expected);
  });

  it('nothing narrows the heap that Node takes of it', () => {
    expect(JSON.stringify(manifestsOf(planOf(folder, shipped)))).not.toMatch(/NODE_OPTIONS|max-old-space/);
  });
});

it.each<[string, Partial<Sources>, RegExp]>([
  [
    'less than a full pod holds',
    { capacity: node('{sessions: 0, peak: 300Mi}, {sessions: 300, peak: 900Mi}'), values: inference('512Mi') },
    /values\.yaml:\d+:\d+: inference\.memory: 512Mi is less than the 900 Mi that 300 sessions hold, .*\(.*capacity\.yaml:\d+:\d+\)/,
  ],
  [
    'less than was measured of the shipped model',
    { values: inference('256Mi') },
    /inference\.memory: 256Mi is less .*docs\/deploy\.md/,
  ],
  ['one point alone', { capacity: node('{sessions: 0, peak: 300Mi}') }, /pod\.memory\.inference: needs two points/],
  ['points out of order', { capacity: node('{sessions: 9, peak: 1Gi}, {sessions: 9, peak: 1Gi}') }, /9 is not above 9/],
  [
    'no unit',
    { capacity: node('{sessions: 0, peak: 300}, {sessions: 9, peak: 1Gi}') },
    /peak: 300 is not memory such as 412Mi/,
  ],
  [
    'another unit',
    { capacity: node('{sessions: 0, peak: 300MB}, {sessions: 9, peak: 1Gi}') },
    /unknown unit "MB"; allowed: Mi, Gi/,
  ],
  ['nothing at all', { capacity: node('{sessions: 0, peak: 0Mi}, {sessions: 9, peak: 1Gi}') }, /less than 1Mi/],
])('%s is refused', (_, sources, expected) => {
  let said = 'nothing';
  try {
    planOf(folder, { ...shipped, ...sources });
  } catch (error) {
    if (!(error instanceof SpeechfbError)) throw error;
    said = formatError(error);
  }
  expect(said).toMatch(expected);
});
