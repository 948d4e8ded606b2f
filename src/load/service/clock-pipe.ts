import { workerUrl } from '../../threads/worker-url.ts';

/** The descriptor on which a program that stands under a stepping clock is told to step it. */
export const clockFd = 4;

/** Flags of Node that put a program under a stepping clock. */
export function steppingClockFlags(): string[] {
  return ['--import', workerUrl(import.meta.url, 'stepping-clock.js').href];
}
