import { expect, it } from 'vitest';
import { causeOfDeath } from '../../../src/load/generator/pool.ts';

it.each([
  [
    'an error that nobody caught',
    'file:///a.js:3\n  throw new TypeError("x");\n  ^\n\nTypeError: x is no function\n    at file:///a.js:3:9 {\n  code: 1\n}\n\nNode.js v20.20.2\n',
    'TypeError: x is no function',
  ],
  [
    "a system's error with its code",
    'Error: connect ECONNREFUSED 127.0.0.1:9\n    at TCPConnectWrap {\n  errno: -111\n}\n\nNode.js v20.20.2\n',
    'Error: connect ECONNREFUSED 127.0.0.1:9',
  ],
  [
    'no memory',
    '<--- Last few GCs --->\n\n[9:0x1] 7 ms: Mark-sweep\n\nFATAL ERROR: Reached heap limit Allocation failed\n----- Native stack trace -----\n 1: 0xd3 node',
    'FATAL ERROR: Reached heap limit Allocation failed',
  ],
  ['a sentence', 'the disk is full\n}\nNode.js v20.20.2', 'the disk is full'],
  ['nothing', ' \n', ''],
])('says of %s no more than that', (_, said, cause) => {
  expect(causeOfDeath(said)).toBe(cause);
});
