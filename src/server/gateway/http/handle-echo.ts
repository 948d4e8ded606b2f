import type { SendHandle } from 'node:child_process';

/**
 * The process that `copyDescriptor` starts: sends the handle that it is sent back so many times.
 */
process.on('message', (copies: number, handle: SendHandle) => {
  for (let copy = 0; copy < copies; copy++) process.send?.(copy, handle, { keepOpen: true });
});
