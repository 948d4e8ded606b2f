// Processes of speechfb, none of which outlives this one.
import { spawn } from 'node:child_process';

const running = new Set();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(130));

export function startSpeechfb(flags, options) {
  const child = spawn(process.execPath, ['bin/speechfb', ...flags], options);
  running.add(child);
  child.on('exit', () => running.delete(child));
  return child;
}
