import { expect, it } from 'vitest';
import { hasSpareRoom } from '../../../../src/server/gateway/outside/spare-room.ts';
import type { GatewayView } from '../../../../src/server/gateway/outside/view.ts';

const sessions = { streaming: 3, detached: 1, ending: 0 } as GatewayView['sessions'];
const calm = { notReady: undefined, sessions, sessionLimit: 5, level: 0, standingMs: 10 };

it.each([
  ['everybody is served in time', {}, true],
  ['it warms up, drains or stands still', { notReady: 'draining' }, false],
  ['every place is taken', { sessionLimit: 4 }, false],
  ['those inside are spared something', { level: 1 }, false],
  ['feedback is late by nearly half of what is too late', { standingMs: 49 }, true],
  ['feedback is late by half of what is too late', { standingMs: 50 }, false],
])('when %s there is room: %o %s', (_, changes, is) => {
  expect(hasSpareRoom({ ...calm, ...changes }, { overloadDelayMs: 100 })).toBe(is);
});
