import type { z } from 'zod';
import { capacityScenario } from '../../capacity/scenario/scenario.ts';
import { parseDocuments } from '../../config/documents.ts';
import { integer, section, text, throughUnit } from '../../config/fields.ts';
import { readText } from '../../config/read-chunks.ts';
import { badConfig } from '../../config/yaml.ts';
import type { ServerCost } from '../../results/cost.ts';
import { parseDollars, parseDollarsPerMinute } from '../../units.ts';

/**
 * What the servers under test cost: the price of one, $ an hour, as written here or in a capacity
 * scenario, and how many.
 */
export const cost = section({
  server: text('a price such as $1.20/h')
    .transform(throughUnit((given) => parseDollarsPerMinute(given) * 60))
    .optional()
    .describe('The price of one, if no capacity scenario says it.'),
  capacity: text('the path of a capacity scenario')
    .optional()
    .describe('A CapacityScenario with that price: of a self-hosted pod, its overhead included.'),
  perAudioMinute: text('a price such as $0.0077')
    .transform(throughUnit(parseDollars))
    .optional()
    .describe('What the vendor takes for a minute of sound.'),
  most: text('an amount such as $5')
    .transform(throughUnit(parseDollars))
    .optional()
    .describe('A test that would cost more than this is refused, and ended before it does.'),
  servers: integer(1, 100_000).prefault(1).describe('Behind the one address, if there are several.'),
}).superRefine(({ server, capacity, perAudioMinute, most }, context) => {
  if (server === undefined && capacity === undefined && perAudioMinute === undefined) {
    const message = 'has no price; write server: $1.20/h, capacity: FILE, or perAudioMinute: $0.0077';
    context.addIssue({ code: 'custom', message });
  }
  if (most !== undefined && perAudioMinute === undefined)
    context.addIssue({ code: 'custom', path: ['most'], message: 'needs perAudioMinute, by which a test is billed' });
  if (server !== undefined && capacity !== undefined)
    context.addIssue({ code: 'custom', path: ['capacity'], message: 'contradicts server: two prices; keep one' });
});

export type CostSpec = z.output<typeof cost>;

/**
 * The prices of a scenario's servers, from its capacity scenario if it names one; undefined where
 * it has none. Throws `unreadable_file` or `bad_config`.
 */
export function readPrices({ server, capacity, servers }: CostSpec): ServerCost | undefined {
  if (server === undefined && capacity === undefined) return undefined;
  return { server: server ?? podPrice(capacity!), servers };
}

/** $ an hour of a self-hosted pod, with its overhead. */
function podPrice(file: string): number {
  const source = readText(file, 'capacity scenario');
  const [first, second] = parseDocuments(file, source, 'CapacityScenario', capacityScenario);
  if (second)
    throw badConfig(file, [{ where: second.at(['metadata', 'name']), message: 'is a second CapacityScenario' }]);
  const { selfHosted } = first!.value.spec.supply;
  if (selfHosted) return selfHosted.price * (1 + selfHosted.overhead);
  const message = 'spec.supply.selfHosted: is missing: it has no price of a server';
  throw badConfig(file, [{ where: first!.at(['spec', 'supply']), message }]);
}
