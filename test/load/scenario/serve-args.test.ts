import { expect, it } from 'vitest';
import { parseLimit } from '../../../src/commands/serve/limit-flag.ts';
import { limitNames, serveArgs } from '../../../src/load/scenario/serve-args.ts';
import { defaultLimits } from '../../../src/server/limits.ts';

it('a scenario may set every limit of the server, and no other', () => {
  expect(limitNames.flatMap((name) => Object.keys(parseLimit(`${name}=1`)))).toEqual(Object.keys(defaultLimits));
});

it.each<[string, string[], ...Parameters<typeof serveArgs>]>([
  ['nothing', []],
  ['sessions', ['--max-sessions', '9'], { maxSessions: 9 }],
  ['times in ms', ['--resume-ttl', '1500ms'], { resumeTtl: 1500 }],
  ['a model and a device', ['--model', '/m', '--device', 'cpu'], { model: '/m', device: 'cpu' }],
  ['limits', ['--limit', 'ack_interval_ms=50'], { limits: { ack_interval_ms: 50 } }],
  ['faults of the model', ['--fault-injection'], {}, [{ killInference: { at: 5 } }]],
  ['faults that need no leave', [], {}, [{ stopServer: { at: 5, for: 5 } }, { reconnect: { at: 5, learners: 1 } }]],
])('%s becomes flags of serve', (_, expected, ...given) => {
  expect(serveArgs(...given)).toEqual(expected);
});
