import { expect, it } from 'vitest';
import { nodeArgs, serveArgs } from '../../../src/load/scenario/serve-args.ts';

it.each<[string, string[], ...Parameters<typeof serveArgs>]>([
  ['nothing', []],
  ['sessions', ['--max-sessions', '9'], { maxSessions: 9 }],
  ['times in ms', ['--resume-ttl', '1500ms'], { resumeTtl: 1500 }],
  ['a model and a device', ['--model', '/m', '--device', 'cpu'], { model: '/m', device: 'cpu' }],
  ['gateways', ['--gateways', '3'], { gateways: 3 }],
  ['limits', ['--limit', 'ack_interval_ms=50'], { limits: { ack_interval_ms: 50 } }],
  ['faults of the model', ['--fault-injection'], {}, [{ killInference: { at: 5 } }]],
  ['faults that need no leave', [], {}, [{ stopServer: { at: 5, for: 5 } }, { reconnect: { at: 5, learners: 1 } }]],
])('%s becomes flags of serve', (_, expected, ...given) => {
  expect(serveArgs(...given)).toEqual(expected);
});

it.each<[string, string[] | undefined, ...Parameters<typeof nodeArgs>]>([
  ['no nodes', undefined, {}, [{ killInference: { at: 5 } }]],
  ['slots', ['--slots', '7'], { nodes: 2, slots: 7 }],
  ['leases that are forgotten', ['--fault-injection'], { nodes: 2 }, [{ forgetLeases: { at: 5, for: 5, node: 1 } }]],
  ['a node that is killed', [], { nodes: 2 }, [{ killNode: { at: 5, for: 5, node: 1 } }]],
])('%s becomes flags of each node', (_, expected, ...given) => {
  expect(nodeArgs(...given)?.args).toEqual(expected);
});
