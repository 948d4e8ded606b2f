import { describe, expect, it } from 'vitest';
import { parseConfig } from '../../../src/config/yaml.ts';
import { withOverrides } from '../../../src/load/scenario/overrides.ts';
import { loadScenario, readScenario } from '../../../src/load/scenario/scenario.ts';
import { targetText } from '../../../src/load/scenario/target-schema.ts';
import { problemsOf } from '../../kit/problems.ts';

const quickstart = 'scenarios/quickstart.yaml';

describe('what carries speechfb.v1', () => {
  it.each([
    ['{}', 'embedded'],
    ['{transport: quic-stream}', 'embedded by quic-stream'],
    ['{transport: quic-datagram, embedded: {gateways: 2}}', 'embedded by quic-datagram'],
    ['{transport: quic-datagram, embedded: {gateways: 2, store: redis}}', 'embedded by quic-datagram'],
    ['{transport: quic-datagram, url: wss://127.0.0.1:1}', 'wss://127.0.0.1:1/v1/stream by quic-datagram'],
  ])('of %s is told: %s', (target, told) => {
    expect(targetText(parse(target).spec.target)).toBe(told);
  });

  it.each([
    ['{transport: quic}', '"quic" is not one of websocket, quic-stream, quic-datagram'],
    ['{transport: quic-stream, url: ws://127.0.0.1:1}', 'quic-stream needs a wss:// URL, but target.url is ws://127'],
    ['{transport: quic-stream, url: wss://127.0.0.1:1, protocol: deepgram}', 'quic-stream is for speechfb; others'],
    ['{transport: quic-datagram, embedded: {tls: false}}', 'quic-datagram contradicts embedded.tls: false'],
  ])('is refused in %s', (target, problem) => {
    expect(problemsOf(() => parse(target))).toContain(`transport: ${problem}`);
  });

  it('is what the command line says, where that fits', () => {
    const scenario = readScenario(quickstart);
    const transport = 'quic-datagram';
    expect(withOverrides(scenario, { transport }).scenario.spec.target.transport).toBe(transport);
    expect(() => withOverrides(scenario, { transport, url: 'ws://127.0.0.1:1' })).toThrow(
      '--transport: quic-datagram needs a wss:// URL',
    );
    const quic = withOverrides(scenario, { transport }).scenario;
    expect(() => withOverrides(quic, { url: 'ws://127.0.0.1:1' })).toThrow('--url: quic-datagram needs a wss:// URL');
  });
});

function parse(target: string) {
  const source = `apiVersion: speechfb.dev/v1alpha1
kind: LoadScenario
metadata: { name: carried }
spec:
  target: ${target}
  learners: { clips: clips.jsonl }
  load: { learners: 1 }
  duration: 5s
  objectives: [p95(feedback_latency) < 500ms]
`;
  return parseConfig('carried.yaml', source, loadScenario);
}
