import { describe, expect, it } from 'vitest';
import { InFlight } from '../../../src/load/learner/in-flight.ts';

describe('messages in flight', () => {
  it('on one stream pass in the order written', () => {
    const { flight, passed } = written(() => true, ['a', 'b', 'c']);
    for (const number of [0, 1, 2]) flight.arrive(number, passed.push);
    expect(passed.all).toEqual(['a', 'b', 'c']);
  });

  it('as datagrams pass as they come, but a control message keeps its place', () => {
    const { flight, passed } = written((text) => text === text.toUpperCase(), ['a', 'b', 'END', 'c']);
    flight.arrive(1, passed.push);
    expect(passed.all).toEqual(['b']);
    flight.arrive(3, passed.push);
    flight.arrive(2, passed.push);
    expect(passed.all).toEqual(['b']);
    flight.arrive(0, passed.push);
    expect(passed.all).toEqual(['b', 'a', 'END', 'c']);
  });

  it('that are given up hold nothing back', () => {
    const { flight, passed } = written((text) => text === 'END', ['a', 'END', 'b']);
    flight.arrive(1, passed.push);
    flight.arrive(2, passed.push);
    expect(passed.all).toEqual([]);
    flight.giveUp(0, passed.push);
    expect(passed.all).toEqual(['END', 'b']);
  });

  it('that were lost and written again keep the place that they had', () => {
    const { flight, passed } = written(() => true, ['a', 'b']);
    expect(flight.message(0)).toBe('a');
    flight.rewrite(0);
    flight.arrive(1, passed.push);
    expect(passed.all).toEqual([]);
    flight.arrive(2, passed.push);
    expect(passed.all).toEqual(['a', 'b']);
    flight.write('c');
    flight.arrive(3, passed.push);
    expect(passed.all).toEqual(['a', 'b', 'c']);
  });
});

function written(keepsPlace: (text: string) => boolean, texts: readonly string[]) {
  const flight = new InFlight(keepsPlace);
  for (const text of texts) flight.write(text);
  const all: string[] = [];
  return { flight, passed: { all, push: (text: string) => void all.push(text) } };
}
