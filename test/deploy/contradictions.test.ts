import { describe, expect, it } from 'vitest';
import { formatError, SpeechfbError } from '../../src/errors.ts';
import { planOf, type Sources, shippedSources } from '../kit/deployments.ts';
import { temporaryDirectory } from '../kit/temporary-directory.ts';

const folder = temporaryDirectory();
const shipped: Required<Omit<Sources, 'curve'>> = shippedSources();
const profile = (percentile: number, value: string) =>
  shipped.capacity.replace(
    'pod: {streams: 120, startup: 120s}',
    `pod: {profile: {points: [{streams: 120, p95_ms: 100, p99_ms: 300}], slo: {percentile: ${percentile}, value: ${value}}}, startup: 120s}`,
  );
const spot = (more: string) =>
  shipped.capacity.replace('share: 70%}', `share: 70%, spot: {share: 50%, price: $0.80/h, ${more}}}`);
const values = (text: string) => shipped.values.replace('  inference: {drain: 60s}\n', text);
const capacity = (from: string, to: string) => shipped.capacity.replace(from, to);
const redis = (text: string) => `${shipped.values}  redis: ${text}\n`;
const canary = (from: string | RegExp, to: string) => shipped.canary.replace(from, to);
const curve = (p99: number, streams = 120) =>
  JSON.stringify({ kind: 'CapacityCurve', version: 1, points: [{ streams, p95_ms: 90, p99_ms: p99 }] });

/** What is wrong, with the names of the files alone. */
function faultsOf(sources: Sources): string {
  try {
    planOf(folder, sources);
  } catch (error) {
    if (!(error instanceof SpeechfbError)) throw error;
    expect(error.exitCode).toBe(2);
    return formatError(error).replaceAll(`${folder}/`, '');
  }
  return 'nothing';
}

describe('inputs that contradict are refused with the place of both', () => {
  it.each<[string, Partial<Sources>, RegExp, RegExp]>([
    [
      'a curve at another percentile than the promise',
      { capacity: profile(95, '500ms') },
      /capacity\.yaml:\d+:\d+/,
      /slo\.yaml:\d+:\d+/,
    ],
    [
      'a curve at a later answer than the promise',
      { capacity: profile(99, '800ms') },
      /capacity\.yaml:\d+:\d+: .*800 ms/,
      /slo\.yaml:\d+:\d+ promises, p99 within 500 ms/,
    ],
    [
      'a curve on which a pod carries nobody',
      { curve: curve(900), capacity: capacity('streams: 120', 'streams: 1') },
      /curve\.json: .*0 streams/,
      /slo\.yaml:\d+:\d+/,
    ],
    [
      'more streams than were measured',
      { curve: curve(300, 80) },
      /capacity\.yaml:\d+:\d+: pod\.streams: 120/,
      /curve\.json measured .*: 80/,
    ],
    [
      'a drain longer than the grace period',
      { values: values('  inference: {drain: 3m, gracePeriod: 2m}\n') },
      /values\.yaml:\d+:\d+: inference\.drain: 3 m/,
      /2 m at values\.yaml:\d+:\d+/,
    ],
    [
      'a drain as long as the grace period',
      { values: values('  inference: {drain: 2m, gracePeriod: 2m}\n') },
      /inference\.drain: 2 m/,
      /2 m at values\.yaml:\d+:\d+/,
    ],
    [
      "a gateway's drain longer than its grace period",
      { values: shipped.values.replace('gateway: {drain: 10s}', 'gateway: {drain: 1m, gracePeriod: 30s}') },
      /gateway\.drain: 1 m/,
      /30 s at values\.yaml:\d+:\d+/,
    ],
    [
      'spot without a floor',
      { capacity: spot('notice: 2m') },
      /capacity\.yaml:\d+:\d+: supply\.selfHosted\.spot\.share: 50 %/,
      /values\.yaml:\d+:\d+ names no on-demand floor/,
    ],
    [
      'spot with a floor of nothing',
      { capacity: spot('notice: 2m'), values: `${shipped.values}  spot: {floor: 0%}\n` },
      /spot\.share: 50 %/,
      /values\.yaml:\d+:\d+ names no on-demand floor/,
    ],
    [
      'a floor that spot does not leave',
      { capacity: spot('notice: 2m'), values: `${shipped.values}  spot: {floor: 60%}\n` },
      /leaves 50 % on demand/,
      /values\.yaml:\d+:\d+ keeps 60 %/,
    ],
    [
      'a floor where nothing is spot',
      { values: `${shipped.values}  spot: {floor: 60%}\n` },
      /values\.yaml:\d+:\d+: spot\.floor: 60 %/,
      /capacity\.yaml:\d+:\d+/,
    ],
    [
      'a drain longer than the notice of spot',
      { capacity: spot('notice: 30s'), values: `${shipped.values}  spot: {floor: 30%}\n` },
      /values\.yaml:\d+:\d+: inference\.drain: 1 m/,
      /30 s at capacity\.yaml:\d+:\d+/,
    ],
    [
      'a region without residency',
      { capacity: `${shipped.capacity}  regions: [{name: eu, share: 100%, pinned: true}]\n` },
      /capacity\.yaml:\d+:\d+: regions: "eu" has no residency/,
      /values\.yaml:\d+:\d+/,
    ],
    [
      'a pinned region that may leave',
      {
        capacity: `${shipped.capacity}  regions: [{name: eu, share: 100%, pinned: true}]\n`,
        values: `${shipped.values}  regions: [{name: eu, residency: may-leave, cluster: eu-1}]\n`,
      },
      /capacity\.yaml:\d+:\d+/,
      /values\.yaml:\d+:\d+ says may-leave/,
    ],
    [
      'a region that nobody sized',
      { values: `${shipped.values}  regions: [{name: eu, residency: stays, cluster: eu-1}]\n` },
      /values\.yaml:\d+:\d+: regions: "eu" is deployed/,
      /capacity\.yaml:\d+:\d+/,
    ],
    [
      'another autoscaler than is played',
      { capacity: capacity('scaling: {', 'scaling: {kind: keda, ') },
      /capacity\.yaml:\d+:\d+: scaling\.kind: keda/,
      /values\.yaml:\d+:\d+ deploys hpa/,
    ],
    [
      'a fleet that never changes',
      { capacity: capacity('scaling: {minReplicas: 204}', 'scaling: {kind: fixed, pods: 204}') },
      /scaling\.kind: fixed/,
      /values\.yaml:\d+:\d+/,
    ],
    [
      'a fleet that may go to zero',
      {
        capacity: capacity('scaling: {', 'scaling: {kind: keda, ').replace('204', '0'),
        values: shipped.values.replace('hpa', 'keda'),
      },
      /capacity\.yaml:\d+:\d+: scaling\.minReplicas: 0/,
      /values\.yaml:\d+:\d+/,
    ],
    [
      'fewer pods at the most than the spike needs',
      { capacity: capacity('minReplicas: 204', 'minReplicas: 100, maxReplicas: 150') },
      /capacity\.yaml:\d+:\d+: scaling\.maxReplicas: 150/,
      /capacity\.yaml:\d+:\d+ brings 24,000/,
    ],
    [
      'fewer pods at the most than must be there before the spike',
      { capacity: capacity('scaling: {minReplicas: 204}', 'scaling: {maxReplicas: 201}') },
      /capacity\.yaml:\d+:\d+: scaling\.maxReplicas: 201 is less than the 204 pods/,
      /that capacity\.yaml:\d+:\d+ asks for: users rise from 20,000 to 60,000/,
    ],
    [
      "fewer pods at the most in a region than the scenario's least",
      {
        capacity: `${shipped.capacity}  regions: [{name: eu, share: 100%, pinned: true, maxReplicas: 203}]\n`,
        values: `${shipped.values}  regions: [{name: eu, residency: stays, cluster: eu-1}]\n`,
      },
      /capacity\.yaml:\d+:\d+: regions: "eu": maxReplicas: 203 is less than the 204 pods/,
      /capacity\.yaml:\d+:\d+ asks for: the scenario asks for 204/,
    ],
    [
      'fewer pods at the most in a region than its spike needs',
      {
        capacity: `${shipped.capacity}  regions: [{name: eu, share: 75%, pinned: true, minReplicas: 9, maxReplicas: 20}, {name: us, share: 25%}]\n`,
        values: `${shipped.values}  regions: [{name: eu, residency: stays, cluster: eu-1}, {name: us, residency: may-leave, cluster: us-1}]\n`,
      },
      /capacity\.yaml:\d+:\d+: regions: "eu": maxReplicas: 20 pods of 120 streams carry 2,400/,
      /capacity\.yaml:\d+:\d+ brings 18,000 at once/,
    ],
    [
      'fewer pods at the most than the spike needs by a curve',
      {
        curve: curve(300, 80),
        capacity: profile(99, '500ms').replace('minReplicas: 204', 'minReplicas: 100, maxReplicas: 250'),
      },
      /scaling\.maxReplicas: 250 pods of 80 streams carry 20,000/,
      /capacity\.yaml:\d+:\d+ brings 24,000/,
    ],
    [
      'more pods than a cluster has',
      {
        capacity: capacity('peakUsers: 20000', 'peakUsers: 4000000').replace('pod: {streams: 120', 'pod: {streams: 12'),
      },
      /capacity\.yaml:\d+:\d+: demand: asks for 520,000 pods of the 12 streams at capacity\.yaml:\d+:\d+/,
      /a cluster of Kubernetes has 150,000 pods at the most/,
    ],
    [
      'a target that no fleet can be above',
      { capacity: capacity('scaling: {', 'scaling: {target: 95%, ') },
      /capacity\.yaml:\d+:\d+: scaling\.target: 95 %/,
      /the 120 at capacity\.yaml:\d+:\d+ can never be exceeded .* write less than 90\.9 %/,
    ],
    [
      'more streams a pod for KEDA than a pod carries',
      {
        capacity: capacity('scaling: {', 'scaling: {kind: keda, targetStreams: 130, '),
        values: shipped.values.replace('hpa', 'keda'),
      },
      /capacity\.yaml:\d+:\d+: scaling\.targetStreams: 130 streams/,
      /the 120 at capacity\.yaml:\d+:\d+/,
    ],
    [
      'pods that leave sooner than they come back',
      {
        capacity: capacity('scaling: {', 'scaling: {behavior: {scaleDown: {stabilizationWindowSeconds: 60}}, '),
      },
      /capacity\.yaml:\d+:\d+: scaling\.behavior\.scaleDown\.stabilizationWindowSeconds: .* 1 m/,
      /2 m to come back at capacity\.yaml:\d+:\d+/,
    ],
    [
      'two regions on the machines of one',
      {
        capacity: `${shipped.capacity}  regions: [{name: eu, share: 75%, pinned: true}, {name: us, share: 25%, pinned: true}]\n`,
        values: `${shipped.values}  regions: [{name: eu, residency: stays, cluster: eu-1}, {name: us, residency: stays, cluster: eu-1}]\n`,
      },
      /values\.yaml:\d+:\d+: regions: "us" would run on the machines of eu-1/,
      /which values\.yaml:\d+:\d+ gives to "eu"/,
    ],
    [
      'one region twice',
      {
        capacity: `${shipped.capacity}  regions: [{name: eu, share: 100%, pinned: true}]\n`,
        values: `${shipped.values}  regions: [{name: eu, residency: stays, cluster: eu-1}, {name: eu, residency: stays, cluster: eu-2}]\n`,
      },
      /values\.yaml:\d+:\d+: regions: "eu" is there already/,
      /at values\.yaml:\d+:\d+/,
    ],
    [
      'a step of a canary that is over before its pods are there',
      { capacity: capacity('startup: 120s', 'startup: 30m') },
      /canary\.yaml:\d+:\d+: steps\[0\]\.hold: 30 m/,
      /30 m at capacity\.yaml:\d+:\d+: nobody would be judged/,
    ],
    [
      'a canary for a rollout that has no steps',
      { values: shipped.values.replace('rollout: job', 'rollout: none') },
      /values\.yaml:\d+:\d+: rollout: none/,
      /canary\.yaml:\d+:\d+ asks for steps/,
    ],
    [
      'a canary for another promise',
      { canary: canary('target: 99%', 'target: 98%') },
      /canary\.yaml:\d+:\d+: target: 98 %/,
      /slo\.yaml:\d+:\d+/,
    ],
    [
      'a canary that cannot tell versions apart',
      { canary: canary(/ {2}versions:.*\n/, '') },
      /canary\.yaml:\d+:\d+: versions/,
      /values\.yaml:\d+:\d+/,
    ],
    [
      'a canary that does not say what is bad',
      { canary: canary(/ {2}indicator:\n.*\n.*\n/, '') },
      /canary\.yaml:\d+:\d+: indicator/,
      /slo\.yaml:\d+:\d+/,
    ],
    [
      "a master's port where no sentinel names one",
      { values: redis('{url: "redis://h:6380/1", ports: [6379]}') },
      /values\.yaml:\d+:\d+: redis\.ports: 6379/,
      /values\.yaml:\d+:\d+ is that of one Redis/,
    ],
    [
      'a password for the sentinels of a cluster',
      { values: redis('{url: "redis+cluster://h", sentinelPassword: {key: word}}') },
      /values\.yaml:\d+:\d+: redis\.sentinelPassword/,
      /values\.yaml:\d+:\d+ names none/,
    ],
    [
      'who signs what nobody shows',
      { values: redis('{url: "redis+sentinel://h/main", authority: redis-ca}') },
      /values\.yaml:\d+:\d+: redis\.authority: "redis-ca"/,
      /values\.yaml:\d+:\d+ is spoken to by TLS; write rediss\+sentinel:/,
    ],
    [
      'who signs what a store of its own does not show',
      { values: redis('{authority: redis-ca}') },
      /values\.yaml:\d+:\d+: redis\.authority/,
      /nothing at values\.yaml:\d+:\d+ is spoken to by TLS; write rediss:/,
    ],
    [
      'a store of pods that is elsewhere',
      { values: redis('{pods: {instance: cache}, addresses: [10.0.0.0/8]}') },
      /values\.yaml:\d+:\d+: redis\.addresses/,
      /values\.yaml:\d+:\d+ says which pods/,
    ],
    [
      'nothing to host',
      { capacity: capacity(/ {4}selfHosted:.*\n/.exec(shipped.capacity)![0], '') },
      /capacity\.yaml:\d+:\d+: supply\.selfHosted/,
      /values\.yaml:\d+:\d+/,
    ],
  ])('%s', (_, changes, first, second) => {
    const told = faultsOf({ ...shipped, ...changes });
    expect(told).toContain('[contradictory_inputs]');
    expect(told).toMatch(first);
    expect(told).toMatch(second);
  });

  it('a rollout without a canary', () => {
    const { canary: _, ...others } = shipped;
    expect(faultsOf(others)).toMatch(/values\.yaml:\d+:\d+: rollout: job .*\(--canary\) beside slo\.yaml:\d+:\d+/);
  });

  it('tells all at once', () => {
    const told = faultsOf({
      ...shipped,
      values: `${values('  inference: {drain: 3m, gracePeriod: 2m}\n')}  spot: {floor: 60%}\n`,
      canary: canary('target: 99%', 'target: 98%'),
    });
    expect(told.split('\n')).toHaveLength(4);
  });

  it('and neither a target that leaves room nor bounds that just do are any', () => {
    const just = (scaling: string) =>
      faultsOf({ ...shipped, capacity: capacity('scaling: {minReplicas: 204}', scaling) });
    expect(just('scaling: {target: 90%, minReplicas: 204}')).toBe('nothing');
    expect(just('scaling: {maxReplicas: 204}')).toBe('nothing');
    expect(just('scaling: {minReplicas: 204, behavior: {scaleDown: {stabilizationWindowSeconds: 120}}}')).toBe(
      'nothing',
    );
  });

  it('and a curve that is stricter than the promise is none', () => {
    expect(faultsOf({ ...shipped, capacity: profile(99, '400ms') })).toBe('nothing');
    expect(faultsOf({ ...shipped, curve: curve(300, 120) })).toBe('nothing');
  });
});

describe('a value that cannot be is refused where it stands', () => {
  it.each<[string, Partial<Sources>, RegExp]>([
    [
      'more pods at least than at the most',
      { capacity: capacity('minReplicas: 204', 'minReplicas: 9, maxReplicas: 3') },
      /capacity\.yaml:\d+:\d+: .*9 is above maxReplicas 3/,
    ],
    [
      'a pod without streams',
      { capacity: capacity('streams: 120', 'streams: 0') },
      /capacity\.yaml:\d+:\d+: .*streams/,
    ],
    [
      'a price without a unit',
      { capacity: capacity('price: $2.00/h, audio', 'price: $2.00, audio') },
      /capacity\.yaml:\d+:\d+: .*price/,
    ],
    [
      'an image without a tag',
      { values: shipped.values.replace('speechfb:0.1.0', 'speechfb') },
      /values\.yaml:\d+:\d+: spec\.image/,
    ],
    [
      'an image without a tag at a registry with a port',
      { values: shipped.values.replace('image: ', 'image: registry.example.com:5000/team/speechfb # ') },
      /values\.yaml:\d+:\d+: spec\.image/,
    ],
    ...[
      'registry.example.com/SpeechFB:0.1.0',
      'speechfb@latest',
      'speechfb@sha256:abc',
      'speechfb:',
      'https://registry.example.com/speechfb:1',
      'registry.example.com//speechfb:1',
    ].map((image): [string, Partial<Sources>, RegExp] => [
      `the image ${image}`,
      { values: shipped.values.replace(/image: .*/, `image: "${image}"`) },
      /values\.yaml:\d+:\d+: spec\.image: .* is not an image with a tag, or a digest/,
    ]),
    ...['Speech.example.com', 'speech..example.com', '-speech.example.com', '*.example.com', '10.0.0.1', 'a:8443'].map(
      (host): [string, Partial<Sources>, RegExp] => [
        `the host ${host}`,
        { values: shipped.values.replace(/host: .*/, `host: "${host}"`) },
        /values\.yaml:\d+:\d+: spec\.host: .* is not a host name/,
      ],
    ),
    ...['http://anna:secret@prometheus:9090', 'http://token@prometheus'].map(
      (url): [string, Partial<Sources>, RegExp] => [
        `a Prometheus at ${url}`,
        { values: shipped.values.replace(/prometheus: .*/, `prometheus: ${url}`) },
        /values\.yaml:\d+:\d+: spec\.prometheus: has a user or a password in it, .*; write it as http/,
      ],
    ),
    ...['prometheus:9090', 'http://', 'http://prometheus:port'].map((url): [string, Partial<Sources>, RegExp] => [
      `a Prometheus at ${url}`,
      { values: shipped.values.replace(/prometheus: .*/, `prometheus: "${url}"`) },
      /values\.yaml:\d+:\d+: spec\.prometheus: .* is not an address such as/,
    ]),
    [
      'a namespace of 64 letters',
      { values: shipped.values.replace('namespace: speechfb', `namespace: ${'n'.repeat(64)}`) },
      /values\.yaml:\d+:\d+: spec\.namespace: .*63 at most/,
    ],
    [
      'a gateway class with a slash',
      { values: shipped.values.replace('gatewayClass: envoy', 'gatewayClass: envoy/wss') },
      /values\.yaml:\d+:\d+: spec\.gatewayClass/,
    ],
    ...['capacity type', '-spot', 'a/b/c', 'Karpenter_sh/capacity', `${'k'.repeat(64)}`].map(
      (label): [string, Partial<Sources>, RegExp] => [
        `spot machines by the label ${label}`,
        { values: `${shipped.values}  spot: {floor: 30%, label: "${label}"}\n` },
        /values\.yaml:\d+:\d+: spec\.spot\.label: .* is not the key of a label such as karpenter/,
      ],
    ),
    [
      'spot machines by a value that no label has',
      { values: `${shipped.values}  spot: {floor: 30%, value: "spot!"}\n` },
      /values\.yaml:\d+:\d+: spec\.spot\.value/,
    ],
    [
      'a memory below nothing',
      { values: values('  inference: {memory: -2Gi}\n') },
      /values\.yaml:\d+:\d+: spec\.inference\.memory: "-2Gi" is not a whole number of Mi or Gi/,
    ],
    [
      'cores in thousandths',
      { values: values('  inference: {cpu: 2000m}\n') },
      /values\.yaml:\d+:\d+: spec\.inference\.cpu: "2000m" is not a number of whole cores from 1 to 1000/,
    ],
    [
      'a drain without a unit',
      { values: values('  inference: {drain: 60}\n') },
      /values\.yaml:\d+:\d+: spec\.inference\.drain: 60 is not a duration/,
    ],
    [
      'a start in minutes as others write them',
      { capacity: capacity('startup: 120s', 'startup: 2min') },
      /capacity\.yaml:\d+:\d+: .*unknown unit "min"; allowed: us, ms, s, m, h/,
    ],
    [
      'nobody',
      { capacity: capacity('peakUsers: 20000', 'peakUsers: 0') },
      /capacity\.yaml:\d+:\d+: spec\.demand\.peakUsers: 0 is not a whole number from 1/,
    ],
    [
      'a canary of more than everybody',
      { canary: canary('share: 100%', 'share: 120%') },
      /canary\.yaml:\d+:\d+: spec\.steps\.2\.share: "120%" is outside/,
    ],
    [
      'a promise of everything',
      { slo: shipped.slo.replace('target: 99%', 'target: 100%') },
      /slo\.yaml:\d+:\d+: spec\.objectives\.0\.target: "100%" leaves no error budget/,
    ],
    [
      'a point of a curve that is no number',
      {
        capacity: capacity(
          'pod: {streams: 120,',
          'pod: {profile: {points: [{streams: 10, p99_ms: .nan}], slo: {percentile: 99, value: 500ms}},',
        ),
      },
      /capacity\.yaml:\d+:\d+: spec\.pod\.profile\.points\.0: p99_ms: NaN is not a number of ms/,
    ],
    [
      'a memory in megabytes',
      { values: values('  inference: {memory: 500MB}\n') },
      /values\.yaml:\d+:\d+: spec\.inference\.memory/,
    ],
    ['half a core', { values: values('  inference: {cpu: 0.5}\n') }, /values\.yaml:\d+:\d+: spec\.inference\.cpu/],
    [
      'a key that there is not',
      { values: values('  inference: {drian: 60s}\n') },
      /values\.yaml:\d+:\d+: .*drian.*drain/,
    ],
    ...(
      [
        ['a cluster with a database', '{url: "redis+cluster://h:1,h2/1"}', /url: .*a cluster has database 0 alone/],
        ['sentinels without a name', '{url: "redis+sentinel://h:1,h2:2"}', /url: .*names no master; allowed: .*NAME/],
        ['several hosts of one Redis', '{url: "redis://h:1,h2:2"}', /url: .*names several hosts/],
        ['a blank in a URL', "{url: 'redis://h/0 #1'}", /url: has a blank or a quote/],
        ['a store that is no Redis', '{url: "http://h"}', /url: .*is not the URL of a Redis/],
        ['a port that there is not', '{url: "redis://h:99999"}', /url: .*is not the URL of a Redis/],
        ['a password in the values', '{url: "redis://u:s3cret-word@h"}', /url: has a password in it.*Secrets/],
        [
          "sentinels' password in the values",
          '{url: "redis+sentinel://h/main?sentinel_password=s3cret-word"}',
          /url: has a password in it.*sentinelPassword/,
        ],
        [
          'a password of an environment that is none here',
          '{url: "redis://:${env:REDIS_PASSWORD}@h"}',
          /url: fills something in.*redis\.password/,
        ],
        ['an empty list of ports', '{url: "redis+cluster://h", ports: []}', /ports/],
        ['a Secret without a key', '{password: {secret: one}}', /password\.key: is missing/],
        ['a Secret that cannot be', '{password: {secret: One_Two, key: k}}', /password\.secret: "One_Two" is not/],
        ['an address that is none', '{addresses: [10.0.0.1]}', /addresses.*10\.0\.0\.1/],
        ['a key of the store that there is not', '{uri: "redis://h"}', /uri.*url/],
      ] as const
    ).map(([what, text, told]): [string, Partial<Sources>, RegExp] => [
      what,
      { values: redis(text) },
      new RegExp(`values\\.yaml:\\d+:\\d+: spec\\.redis.*${told.source}`),
    ]),
    [
      'a name that Kubernetes does not take',
      { values: shipped.values.replace('name: speechfb', 'name: Speech_FB') },
      /values\.yaml:\d+:\d+: metadata\.name/,
    ],
    [
      'a name that no Service can have',
      { values: shipped.values.replace('name: speechfb', 'name: 1speech') },
      /values\.yaml:\d+:\d+: metadata\.name: .*begins with a letter/,
    ],
    [
      'a name that is too long',
      { values: shipped.values.replace('name: speechfb', `name: ${'a'.repeat(43)}`) },
      /values\.yaml:\d+:\d+: metadata\.name: .*42 at most/,
    ],
  ])('%s', (_, changes, expected) => {
    const told = faultsOf({ ...shipped, ...changes });
    expect(told).toMatch(expected);
    expect(told).not.toContain('s3cret-word');
  });
});

describe('what looks odd and is right is taken', () => {
  const memory = '  inference: {memory: 4Gi}\n';
  it.each<[string, Partial<Sources>]>([
    ['one learner', { capacity: capacity('peakUsers: 20000', 'peakUsers: 1') }],
    [
      'an image by its digest at a registry with a port',
      {
        values: shipped.values.replace(
          /image: .*/,
          `image: Registry.example.com:5000/team/speech_fb@sha256:${'a1'.repeat(32)}`,
        ),
      },
    ],
    [
      'an image with both',
      { values: shipped.values.replace(/image: .*/, `image: localhost/speechfb:v1.0@sha256:${'0f'.repeat(32)}`) },
    ],
    [
      'a namespace of 63 letters',
      { values: shipped.values.replace('namespace: speechfb', `namespace: ${'n'.repeat(63)}`) },
    ],
    [
      'a gateway class of a domain',
      { values: shipped.values.replace('gatewayClass: envoy', 'gatewayClass: gw.example.com') },
    ],
    ['memory in Gi', { values: values(memory) }],
    ['no headroom', { capacity: capacity('headroom: 30%', 'headroom: 0%') }],
    ['machines that cost nothing', { capacity: capacity('price: $2.00/h, audio', 'price: $0/h, audio') }],
    ['a curve of one point', { curve: curve(300) }],
    [
      'a curve whose latency falls and whose points are in no order',
      {
        curve: JSON.stringify({
          points: [
            { streams: 150, p99_ms: 200 },
            { streams: 120, p99_ms: 300 },
            { streams: 10, p99_ms: 450 },
          ],
        }),
      },
    ],
    ['a step of less than a percent', { canary: canary('share: 5%', 'share: 0.4%') }],
    [
      'two regions of one price',
      {
        capacity: `${shipped.capacity}  regions: [{name: eu, share: 50%, pinned: true}, {name: us, share: 50%, pinned: true}]\n`,
        values: `${shipped.values}  regions: [{name: eu, residency: stays, cluster: eu-1}, {name: us, residency: stays, cluster: US_east.1}]\n`,
      },
    ],
  ])('%s', (_, changes) => expect(faultsOf({ ...shipped, ...changes })).toBe('nothing'));

  it('a promise of six nines asks a curve for that percentile', () => {
    const slo = shipped.slo.replace('target: 99%', 'target: 99.9999%');
    const told = faultsOf({ ...shipped, slo, curve: curve(300), capacity: profile(99.9999, '500ms') });
    expect(told).toMatch(/curve\.json: .*has no p99\.9999_ms; it has p95_ms, p99_ms|p99\.9999_ms/);
  });
});
