import type { KafkaMessage } from 'kafkajs';
import type { Delivery } from '../work-queue.ts';

/** A message of a Kafka as it is delivered. */
export function deliveryOf(partition: number, { key, value, headers, offset, timestamp }: KafkaMessage): Delivery {
  return {
    key: key?.toString() ?? '',
    value: value ?? new Uint8Array(0),
    headers: plainHeaders(headers),
    place: `${partition}:${offset}`,
    appendedMs: Number(timestamp),
  };
}

/** The headers as text; of one that is there twice the first counts. */
function plainHeaders(headers: KafkaMessage['headers']): Record<string, string> {
  const first = (value: unknown): unknown => (Array.isArray(value) ? value[0] : value);
  return Object.fromEntries(Object.entries(headers ?? {}).map(([name, value]) => [name, String(first(value) ?? '')]));
}
