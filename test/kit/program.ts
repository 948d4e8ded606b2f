import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';

/** The program as a user starts it. It runs what was built. */
export const bin = resolve(import.meta.dirname, '../../bin/speechfb');

export type Ended = { code: number | null; stdout: string; stderr: string };

/** When a program has said `when`, on either stream, it is sent `signal`, once. */
export type Interruption = { when: string; signal: NodeJS.Signals };

/** One command line in a process of its own, from the build: its exit code and what it wrote. */
export async function runProgram(args: readonly string[], interruption?: Interruption): Promise<Ended> {
  const child = spawn(process.execPath, [bin, ...args]);
  const output = { stdout: '', stderr: '' };
  let sent = false;
  const hear = (stream: keyof typeof output) => (chunk: Buffer) => {
    output[stream] += chunk;
    if (!interruption || sent || !output[stream].includes(interruption.when)) return;
    sent = child.kill(interruption.signal);
  };
  child.stdout.on('data', hear('stdout'));
  child.stderr.on('data', hear('stderr'));
  const [code] = await once(child, 'close');
  return { code, ...output };
}
