import { type Delivery, deadHeaders, type QueueRecord } from './work-queue.ts';

/** A record as it is put aside: as it came, and why. */
export function deadLetterOf({ key, value, headers, place }: Delivery, reason: string): QueueRecord {
  return { key, value, headers: { ...headers, [deadHeaders.reason]: reason, [deadHeaders.from]: place } };
}
