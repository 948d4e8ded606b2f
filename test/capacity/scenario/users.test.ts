import { describe, expect, it } from 'vitest';
import { peakUsers, type Spike, spikeFactor, userCurve } from '../../../src/capacity/scenario/users.ts';
import { parseUsersCsv } from '../../../src/capacity/scenario/users-csv.ts';
import { SpeechfbError } from '../../../src/errors.ts';

const spike: Spike = { atMs: 60_000, factor: 3, rampMs: 10_000, durationMs: 100_000 };

describe('a spike', () => {
  it.each([
    ['before', 59_999, 1],
    ['at its first moment', 60_000, 1],
    ['half up', 65_000, 2],
    ['at the top', 70_000, 3],
    ['at its end', 170_000, 3],
    ['half down', 175_000, 2],
    ['after', 180_000, 1],
  ])('%s', (_, atMs, factor) => expect(spikeFactor(spike, atMs)).toBeCloseTo(factor, 9));

  it('without a ramp is a step', () => {
    const step = { ...spike, rampMs: 0 };
    expect([59_999, 60_000, 159_999, 160_000].map((atMs) => spikeFactor(step, atMs))).toEqual([1, 3, 3, 1]);
  });
});

describe('users by minute', () => {
  const morning = [
    { minute: 0, users: 100 },
    { minute: 10, users: 300 },
    { minute: 20, users: 0 },
  ];

  it.each([
    ['at a point', 10, 300],
    ['between points', 5, 200],
    ['on the way down', 15, 150],
    ['before the first', -3, 100],
    ['after the last', 99, 0],
  ])('%s', (_, minute, users) => expect(userCurve(morning)(minute * 60_000)).toBeCloseTo(users, 9));

  it('are multiplied by a spike', () => {
    expect(userCurve(morning, { ...spike, atMs: 0, rampMs: 0, durationMs: 3e6 })(300_000)).toBe(600);
  });

  it('have a peak', () => expect([peakUsers(morning), peakUsers(7)]).toEqual([300, 7]));
});

describe('a CSV of users', () => {
  const curve = [
    { minute: 0, users: 200 },
    { minute: 15, users: 210 },
  ];

  it.each([
    ['a header of other words', 'time,users\n0:00,200\n0:15,210\n'],
    ['a header in another language', '"Uhrzeit","Lernende"\n0,200\n15,210'],
    ['bare CR as line ends', 'minute,users\r0,200\r15,210\r'],
    ['semicolons, as spreadsheets of Europe write', 'Minute;Nutzer\r\n0;200\r\n15;210\r\n'],
    ['tabs', '0\t200\n15\t210\n'],
    ['comments between its lines', '0,200\n# break\n15,210\n'],
  ])('may have %s', (_, text) => {
    expect(parseUsersCsv('u.csv', text)).toEqual(curve);
  });

  it('may have a header, comments, empty lines and CRLF', () => {
    expect(parseUsersCsv('u.csv', '# a school day\r\nminute,users\r\n0,5\r\n\r\n1.5, 7\r\n')).toEqual([
      { minute: 0, users: 5 },
      { minute: 1.5, users: 7 },
    ]);
  });

  it('may write the time of day, and cells in quotes', () => {
    expect(parseUsersCsv('u.csv', '"minute","users"\n0:00,5\n"08:05","7"\n')).toEqual([
      { minute: 0, users: 5 },
      { minute: 485, users: 7 },
    ]);
  });

  it('tells every bad line at once', () => {
    const text = 'minute,users\n0,5\n0,6\n2\n3,-1\nx,4\n5,\n';
    const problems = problemsOf(() => parseUsersCsv('u.csv', text));
    expect(problems).toEqual([
      'u.csv:3:1 minute 0 does not come after 0',
      'u.csv:4:1 "2" is not minute,users',
      'u.csv:5:3 users "-1" is not a number from 0',
      'u.csv:6:1 minute "x" is not a number from 0, nor a time such as 8:05',
      'u.csv:7:3 users "" is not a number from 0',
    ]);
  });

  it('refuses a day without a user', () => {
    expect(problemsOf(() => parseUsersCsv('u.csv', '0,0\n9,0\n'))).toEqual(['u.csv has no user at any minute']);
  });

  it.each([[''], ['minute,users\n'], ['# nothing\n']])('refuses one without a line: %j', (text) => {
    expect(problemsOf(() => parseUsersCsv('u.csv', text))).toEqual(['u.csv:1:1 holds no minute,users line']);
  });
});

function problemsOf(read: () => unknown): string[] {
  try {
    read();
  } catch (error) {
    if (error instanceof SpeechfbError) return error.problems.map(({ where, message }) => `${where} ${message}`);
    throw error;
  }
  return [];
}
