import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { prepareLoad } from '../../../src/load/scenario/prepare.ts';
import { readScenario } from '../../../src/load/scenario/scenario.ts';
import { problemsOf } from '../../kit/problems.ts';
import { temporaryDirectory } from '../../kit/temporary-directory.ts';

const folder = temporaryDirectory();

const good = `apiVersion: speechfb.dev/v1alpha1
kind: LoadScenario
metadata: { name: riva }
spec:
  target: { url: "grpc://127.0.0.1:50051", protocol: riva }
  learners: { clips: ${join(process.cwd(), 'fixtures/audio/manifest.jsonl')} }
  load: { learners: 4, session: 5s }
  duration: 10s
  objectives: [p95(feedback_latency) < 800ms]
`;

function prepare(text: string) {
  const file = join(folder, 'riva.yaml');
  writeFileSync(file, text);
  return prepareLoad(readScenario(file));
}

it('a scenario for a server of gRPC is good', () => {
  expect(prepare(good).plans.length).toBeGreaterThan(3);
  expect(prepare(good.replace('  load:', '  mix: [{ network: none, weight: 100% }]\n  load:')).networks).toEqual({});
});

it('so is one with networks, and a fault of them', () => {
  const mix = '  mix: [{ network: LTE, weight: 100% }]\n  faults: [{ cutNetwork: { at: 2s, for: 1s, learners: 50% } }]';
  const { networks, faults } = prepare(good.replace('  load:', `${mix}\n  load:`));
  expect(Object.keys(networks)).toEqual(['LTE']);
  expect(faults).toMatchObject([{ kind: 'cut-network' }]);
});

it.each<[string, [from: string, to: string], string]>([
  [
    'a network of datagrams',
    [
      '  load:',
      '  networks: { Rail: { extends: LTE, transport: quic-datagram } }\n  mix: [{ network: Rail, weight: 100% }]\n  load:',
    ],
    ':8:20: spec.mix.0.network: "Rail" has transport: quic-datagram, and gRPC is a stream of bytes; allowed: networks of tcp',
  ],
  [
    'a URL of a WebSocket',
    ['grpc://', 'ws://'],
    'riva is spoken over gRPC: write grpc://host:port or grpcs://host:port',
  ],
  ['a protocol of a WebSocket', ['protocol: riva', 'protocol: deepgram'], 'deepgram is spoken over a WebSocket'],
  ['our own protocol', [', protocol: riva', ''], 'speechfb is spoken over a WebSocket'],
  ['a path', ['50051"', '50051/asr"'], ':5:18: spec.target.url: the URL has a path or parameters'],
  ['parameters', ['50051"', '50051?key=1"'], 'spec.target.url: the URL has a path or parameters'],
  ['a user', ['grpc://', 'grpc://me@'], 'has a user name or password'],
  ['TLS options without TLS', ['protocol: riva', 'tls: { insecure: true }, protocol: riva'], 'is for grpcs:// URLs'],
  [
    'a key in a query',
    ['protocol: riva', 'protocol: riva, auth: { query: key, value: "${env:HOME}" }'],
    'spec.target.auth: goes into the metadata of a call of gRPC',
  ],
  ['no URL', ['url: "grpc://127.0.0.1:50051", ', ''], 'riva needs target.url'],
])('%s is an error at its line', (_, [from, to], sentence) => {
  expect(good).toContain(from);
  expect(problemsOf(() => prepare(good.replace(from, to)))).toContain(sentence);
});
