import { expect, it } from 'vitest';
import { releaseMessage } from '../../src/trunk/wire/message-memory.ts';

it.each([
  ['is free when it is large', () => Buffer.alloc(8192), 0],
  ['is free when only the head of gRPC is before it', () => Buffer.alloc(8197).subarray(5), 0],
  ['is kept when it is small, and others may lie beside it', () => Buffer.allocUnsafe(4000), 4000],
  ['is kept when something else is in its memory', () => Buffer.alloc(20_000).subarray(0, 9000), 9000],
  ['is kept when threads share it', () => Buffer.from(new SharedArrayBuffer(9000)), 9000],
])('the memory of a message %s', (_, make, left) => {
  const message = make();
  releaseMessage(message);
  expect(message.length).toBe(left);
});
