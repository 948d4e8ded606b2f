import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { newLinkEnds, ThreadLink } from '../../src/threads/thread-link.ts';

let links: ThreadLink[] = [];
afterEach(() => {
  for (const link of links) link.close();
  links = [];
});

/** Both ends of a link, here in one thread, and how often the reading end was called. */
function join(ringBytes = 1024) {
  const { own, worker } = newLinkEnds(ringBytes, ringBytes);
  const calls = { reader: 0 };
  const reader = new ThreadLink(worker, () => calls.reader++);
  const writer = new ThreadLink(own, () => {});
  links.push(reader, writer);
  return { reader, writer, calls };
}

function say(link: ThreadLink, value: number): void {
  const at = link.begin(1, 8);
  link.memory.float64[at / 8] = value;
  link.commit();
}

function hear(link: ThreadLink): unknown[] {
  const heard: unknown[] = [];
  link.read(
    ({ at, memory }) => heard.push(memory.float64[at / 8]),
    (message) => heard.push(message),
  );
  return heard;
}

describe('a link between threads', () => {
  it('brings records and messages in the order in which they were said, however late it is looked at', async () => {
    const act = fc.oneof(
      { weight: 4, arbitrary: fc.constant('record' as const) },
      { weight: 2, arbitrary: fc.constant('message' as const) },
      { weight: 1, arbitrary: fc.constantFrom('turn' as const, 'look' as const, 'wake' as const, 'sleep' as const) },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(act, { maxLength: 80 }), async (acts) => {
        const { reader, writer } = join(256);
        const [said, heard]: [unknown[], unknown[]] = [[], []];
        for (const [i, one] of acts.entries()) {
          if (one === 'turn') await turn();
          else if (one === 'look') heard.push(...hear(reader));
          else if (one === 'wake') writer.wake();
          else if (one === 'sleep') reader.sleep();
          else {
            said.push(one === 'record' ? i : { number: i });
            if (one === 'record') say(writer, i);
            else writer.post({ number: i });
          }
        }
        for (let round = 0; round <= acts.length; round++) {
          writer.wake();
          heard.push(...hear(reader));
        }
        expect(heard).toEqual(said);
        reader.close();
        writer.close();
      }),
      { numRuns: 100 },
    );
  });

  it('wakes a thread that sleeps once for all that is said, and none that is awake', async () => {
    const { reader, writer, calls } = join();
    const wakeAfter = async (values: number[]) => {
      for (const value of values) say(writer, value);
      for (const _ of values) writer.wake();
      await turn();
      await turn();
      return calls.reader;
    };
    expect(await wakeAfter([1, 2])).toBe(0);
    expect(hear(reader)).toEqual([1, 2]);
    expect(reader.sleep()).toBe(true);
    expect(await wakeAfter([3, 4, 5])).toBe(1);
    expect(hear(reader)).toEqual([3, 4, 5]);
    reader.stayAwake();
    expect(await wakeAfter([6])).toBe(1);
    expect(reader.sleep()).toBe(false);
  });

  it('says when it is full, and no longer when there is room again', () => {
    const { reader, writer } = join(256);
    for (let value = 0; value < 20; value++) say(writer, value);
    expect(writer.isFull).toBe(true);
    const heard: unknown[] = [];
    for (let round = 0; round < 3; round++) {
      heard.push(...hear(reader));
      writer.wake();
    }
    expect(writer.isFull).toBe(false);
    expect(heard).toEqual(Array.from({ length: 20 }, (_, value) => value));
  });
});
