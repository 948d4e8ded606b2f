import { describe, expect, it, onTestFinished } from 'vitest';
import { type GatewayChannel, SupervisorLink } from '../../../src/server/cluster/link.ts';
import type { ToGateway, ToSupervisor } from '../../../src/server/cluster/messages.ts';
import { Supervisor } from '../../../src/server/cluster/supervisor.ts';
import { defaultLimits } from '../../../src/server/limits.ts';
import { createLog } from '../../../src/telemetry/log.ts';

// A rejection that nobody handles fails the run.
describe('who asked and is gone before the answer', () => {
  it('harms no supervisor, which says so and takes connections as before', async () => {
    const lines: string[] = [];
    const says: ((message: ToSupervisor) => void)[] = [];
    const ends: (() => void)[] = [];
    const supervisor = new Supervisor({
      gateways: 2,
      launch: () => {
        let isGone = false;
        return {
          send(message) {
            if (message.type !== 'answer') return;
            isGone = true;
            throw new Error('the channel is closed');
          },
          listen: (on) => says.push((message) => isGone || on(message)),
          exited: new Promise((resolve) => ends.push(() => resolve('SIGKILL'))),
          kill: () => ends.at(-1)?.(),
        };
      },
      limits: defaultLimits,
      tokens: 0,
      host: '127.0.0.1',
      port: 0,
      isSecure: false,
      log: createLog('error', { write: (line: string) => lines.push(line) }),
    });
    await supervisor.listen();
    onTestFinished(async () => {
      for (const end of ends) end();
      await supervisor.close();
    });
    says[0]!({ type: 'question', id: 0, name: 'exposition', ask: {} });
    await expect.poll(() => lines.join('')).toContain('a gateway got no answer');
    expect(lines.join('')).toContain('the channel is closed');
    expect(supervisor.notReady).toBe('no gateway is up');
  });

  it.each<[string, ToGateway]>([
    ['metrics', { type: 'question', id: 0, name: 'metrics', ask: {} }],
    ['a drain', { type: 'drain' }],
  ])('harms no gateway, which was asked for %s', async (_, message) => {
    let ask: Parameters<GatewayChannel['listen']>[0] = () => {};
    const troubles: unknown[] = [];
    const gone = new Error('the channel is closed');
    new SupervisorLink({
      gateway: 1,
      channel: {
        send: () => {
          throw gone;
        },
        listen: (on) => {
          ask = on;
        },
      },
      onDrain: async () => ({ sessions: 0, finished: 0 }),
      onTrouble: (error) => troubles.push(error),
    });
    ask(message, undefined);
    await expect.poll(() => troubles).toEqual([gone]);
  });
});
