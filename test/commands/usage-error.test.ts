import { expect, it } from 'vitest';
import { usageError } from '../../src/commands/usage-error.ts';

it.each([
  [
    "error: option '--handoff <where>' argument 'disk' is invalid. Allowed choices are memory.",
    '--handoff: "disk" is not allowed; allowed: memory [bad_flag]',
  ],
  [
    "error: option '--log-level <level>' argument 'inof' is invalid. Allowed choices are debug, info, warn.",
    '--log-level: "inof" is not allowed (did you mean "info"?); allowed: debug, info, warn [bad_flag]',
  ],
  [
    "error: option '--role <role>' argument 'it's\ntwo' is invalid. Allowed choices are all, gateway.",
    '--role: "it\'s\\ntwo" is not allowed; allowed: all, gateway [bad_flag]',
  ],
  ["error: option '--port <number>' argument missing", '--port needs a value: --port <number> [bad_usage]'],
  ["error: required option '--text <text>' not specified", '--text <text> is missing, which this needs [bad_usage]'],
  ["error: missing required argument 'file'", '<file> is missing, which this needs [bad_usage]'],
  ["error: option '--plot' cannot be used with option '--json'", '--plot and --json do not go together [bad_usage]'],
  [
    "error: option '--traces <file>' cannot be used with option '--run <dir>'",
    '--traces and --run do not go together [bad_usage]',
  ],
  [
    "error: too many arguments for 'score'. Expected 1 argument but got 2.",
    'score takes one argument and was given 2; put quotes round one that has blanks [bad_usage]',
  ],
  [
    "error: too many arguments for 'serve'. Expected 0 arguments but got 1.",
    'serve takes no argument and was given 1; put quotes round one that has blanks [bad_usage]',
  ],
  [
    "error: unknown option '--txt'\n(Did you mean --text?)",
    "unknown option '--txt' [bad_usage]\n  hint: did you mean --text?",
  ],
])('%j is told in our words', (said, told) => {
  expect(usageError(`${said}\n`)).toBe(`speechfb: ${told}\n`);
});
