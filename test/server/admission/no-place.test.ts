import { expect, it } from 'vitest';
import { lackingText } from '../../../src/server/admission/admission.ts';
import { defaultLimits } from '../../../src/server/limits.ts';

const limits = { ...defaultLimits, maxSessions: 50 };

it.each<[string, 'full' | 'share', 'live' | 'batch', capacity: number, expected: string]>([
  ['of no node', 'full', 'live', 0, 'no inference node takes sessions: none is there, or all are going'],
  ['of what the machine carries', 'full', 'live', 20, 'all 20 sessions that this machine carries are taken'],
  ['of what is allowed', 'full', 'live', 50, 'all 50 sessions are taken (max_sessions)'],
])('who finds no place is told %s', (_, lacks, lane, capacity, expected) => {
  expect(lackingText(lacks, { lane, capacity }, limits)).toBe(expected);
});
