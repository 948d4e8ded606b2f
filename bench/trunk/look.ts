import type { ChildProcess } from 'node:child_process';
import { taken } from './quiet-scoring.ts';

/** What a process has spent since it began, and how many frames it took or sent. */
export type Look = { cpuUs: number; frames: number };

/** Tells the parent `ready`, and then what was spent whenever it asks; ends with it. */
export function answerLooks(ready: string): void {
  process.on('message', () => {
    const { user, system } = process.cpuUsage();
    process.send?.({ cpuUs: user + system, frames: taken.frames } satisfies Look);
  });
  process.on('disconnect', () => process.exit());
  process.on('SIGTERM', () => process.exit());
  process.send?.({ ready });
}

/** What a child says first. */
export function readyOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    child.once('message', (message) => resolve((message as { ready: string }).ready));
    child.once('exit', (code) => reject(new Error(`a process of the bench ended with ${code}`)));
  });
}

export function look(child: ChildProcess): Promise<Look> {
  return new Promise((resolve) => {
    child.once('message', (message) => resolve(message as Look));
    child.send('look');
  });
}
