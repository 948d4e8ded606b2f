import type { Impairment } from './impairment.ts';

/**
 * Does nothing to any packet: what a new impairment starts from (docs/network.md builds one up from
 * it).
 */
export class Noop implements Impairment {
  pass(atUs: number): number {
    return atUs;
  }
}
