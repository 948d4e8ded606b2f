import { z } from 'zod';
import { despiteProblems, integer, oneOf, section, text } from '../../config/fields.ts';
import { networkEvent } from '../profile/event-fields.ts';
import { loss } from '../profile/loss-field.ts';
import { delay, jitter, queue, rate, timeUs } from '../profile/network-fields.ts';
import { checkExtends } from './extends.ts';

const transports = ['tcp', 'tcp-tls', 'quic-stream', 'quic-datagram'] as const;

/**
 * Times at which a packet may leave, recorded on a real link; `file` is relative to the file that
 * names it.
 */
const trace = section({ format: oneOf(['mahimahi']), file: text('the path of a trace') });

/** One packet at least, or nothing would ever be sent. */
const windowBytes = integer(1200, 1_000_000_000);

const path = {
  delay: delay().optional(),
  jitter: jitter().optional(),
  reorder: z.boolean({ error: () => 'is not true or false' }).optional(),
  rate: rate().optional(),
  queue: queue().optional(),
  loss: loss().optional(),
  trace: trace.optional(),
};

/** A direction may begin as the other one: `down: {extends: up, rate: 12mbit}`. */
const up = section({ extends: oneOf(['down']).optional(), ...path });
const down = section({ extends: oneOf(['up']).optional(), ...path });

/** One network as written: only what differs from its base. */
export const network = section({
  extends: text('the name of a network').optional(),
  source: text('where the figures come from').optional(),
  transport: oneOf(transports).optional(),
  tcp: section({ cc: oneOf(['cubic']).optional(), rtoMin: timeUs(1, 60_000).optional() }).optional(),
  quic: section({ initialWindowBytes: windowBytes.optional(), leastWindowBytes: windowBytes.optional() }).optional(),
  up: up.optional(),
  down: down.optional(),
  /** Take the place of the base's events, all of them. */
  events: z
    .array(networkEvent, { error: () => 'is not a list such as [{handover: {every: 45s±15s, gap: 80ms}}]' })
    .optional(),
  /** Short for the same key of `up`. */
  trace: trace.optional(),
});

/**
 * The `networks:` map of a file. Names are matched without regard to case; `extends` must lead
 * somewhere.
 */
export const networksMap = z
  .record(z.string(), network, { error: () => 'is not a mapping of names to networks' })
  // Also when a network has a problem of its own: everything that is wrong is said at once.
  .superRefine(checkExtends, despiteProblems);

/** A file of nothing but networks, as `speechfb netsim FILE` reads it. */
export const networksFile = section({
  networks: networksMap.refine((map) => Object.keys(map).length > 0, { error: () => 'is empty; describe a network' }),
});

export type PathSpec = z.output<typeof up> | z.output<typeof down>;
export type NetworkSpec = z.output<typeof network>;
export type NetworksMap = Readonly<Record<string, NetworkSpec>>;

/** The JSON Schema (2020-12) that editors use; kept current in schemas/networks.schema.json. */
export function networksJsonSchema(): object {
  return { title: 'speechfb networks', ...z.toJSONSchema(networksFile, { io: 'input', target: 'draft-2020-12' }) };
}
