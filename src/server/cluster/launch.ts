import { fork } from 'node:child_process';
import type { ToSupervisor } from './messages.ts';
import type { GatewayProcess } from './slot.ts';

/** The descriptor of the pipe in a gateway that closes when its supervisor ends. */
export const supervisorFd = 3;

/** Starts the process of a gateway and tells it with what to begin. */
export function launchGateway(script: URL, config: unknown): GatewayProcess {
  const child = fork(script, {
    stdio: ['ignore', 'ignore', 'inherit', 'pipe', 'ipc'],
    // JSON has no Infinity, which some limits are.
    serialization: 'advanced',
  });
  const exited = new Promise<string>((resolve) => {
    child.once('exit', (code, signal) => resolve(signal ?? `exit code ${code}`));
    child.once('error', (error) => resolve(error.message));
  });
  // What cannot be sent any more is not missed: its end is heard.
  const unsent = (): void => {};
  child.on('error', unsent);
  child.send({ type: 'begin', config }, unsent);
  return {
    send: (message, handle) => void child.send(message, handle, { keepOpen: true }, unsent),
    listen: (on) => void child.on('message', (message) => on(message as ToSupervisor)),
    exited,
    kill: () => void child.kill('SIGKILL'),
  };
}
