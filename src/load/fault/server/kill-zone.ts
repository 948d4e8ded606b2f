import { duration, integer } from '../../../config/fields.ts';
import { defineServerFault, type FaultyServer } from '../definition/definition.ts';

/** All that stands in one place is gone at once; what is left carries everybody, or says so. */
export const killZone = defineServerFault({
  name: 'kill-zone',
  key: 'killZone',
  about:
    'All gateways and nodes of a zone of the embedded server are killed (SIGKILL); others take their places after `for`.',
  cutsSockets: true,
  fields: { zone: integer(1, 16), for: duration(1, 3_600_000) },
  target: 'server',
  part: 'zone',
  inject: async (server, { zone }) => {
    const problems = partsOf(server, zone).map(([part, place]) => part.signal(place, 'SIGKILL'));
    return problems.find((problem) => problem !== undefined);
  },
  end: (server, { zone }) => {
    for (const [part, place] of partsOf(server, zone)) part.start(place);
  },
});

/** Places are given to zones in turn: of two zones the first has the places 1, 3, 5. */
function partsOf({ gateways, nodes, zones }: FaultyServer, zone: number) {
  return [nodes, gateways].flatMap((part) =>
    Array.from({ length: part.count }, (_, at) => [part, at + 1] as const).filter(
      ([, place]) => (place - 1) % zones === zone - 1,
    ),
  );
}
