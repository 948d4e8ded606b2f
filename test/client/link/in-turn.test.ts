import { expect, it } from 'vitest';
import { inTurn } from '../../../src/client/link/in-turn.ts';
import type { Link, LinkEvents, OpenLink } from '../../../src/client/link/link.ts';

const events = {} as LinkEvents;

it.each([
  [1, 0, [0, 0, 0]],
  [2, 0, [0, 1, 0]],
  [2, 5, [1, 0, 1]],
  [3, 1, [1, 2, 0, 1]],
])('of %i servers, from %i on, the attempts of one client lead to %j', (count, first, places) => {
  const seen: [number, unknown][] = [];
  const servers = Array.from(
    { length: count },
    (_, place): OpenLink =>
      (_events, hints) => {
        seen.push([place, hints]);
        return {} as Link;
      },
  );
  const open = inTurn(servers, first);
  for (const place of places) open(events, { resume: `${place}` });
  expect(seen).toEqual(places.map((place) => [place, { resume: `${place}` }]));
});
