import type { Socket } from 'node:net';
import { supervisorFd } from '../../server/cluster/launch.ts';
import type { GatewayChannel } from '../../server/cluster/link.ts';
import type { ToGateway } from '../../server/cluster/messages.ts';
import { endWithParent } from '../../threads/end-with-parent.ts';
import { stopSignals } from '../interruption.ts';
import { type GatewayConfig, runGateway } from './gateway.ts';

// The process of one gateway. It ends with its supervisor, and when that says so: a signal that a
// terminal or a service manager sends to all processes is the supervisor's to heed.
endWithParent(supervisorFd);
for (const signal of stopSignals) process.on(signal, () => {});
process.on('disconnect', () => process.exit());
if (!process.connected) process.exit();

const channel: GatewayChannel = {
  send: (message) => void process.send?.(message, undefined, undefined, () => {}),
  listen: (on) => void process.on('message', (message, handle) => on(message as ToGateway, handle as Socket)),
};
const begin = (message: unknown): void => {
  const { type, config } = message as { type: string; config: GatewayConfig };
  if (type !== 'begin') return;
  process.off('message', begin);
  runGateway(config, channel).then(
    () => process.disconnect(),
    () => process.exit(1),
  );
};
process.on('message', begin);
