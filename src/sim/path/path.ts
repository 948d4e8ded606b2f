import { type DrawKey, Draws } from '../../stats/draws.ts';
import { AddedLoss } from '../impairments/added-loss.ts';
import { Delay, InOrder, JitteredDelay } from '../impairments/delay.ts';
import { Fading } from '../impairments/fading.ts';
import { Gaps } from '../impairments/gaps.ts';
import { GilbertElliott } from '../impairments/gilbert-elliott.ts';
import { IidLoss } from '../impairments/iid-loss.ts';
import { type Impairment, LOST } from '../impairments/impairment.ts';
import { Noop } from '../impairments/noop.ts';
import { Outage } from '../impairments/outage.ts';
import { streamOf } from '../impairments/purposes.ts';
import { RateQueue } from '../impairments/rate-queue.ts';
import { LinkTrace } from '../impairments/trace.ts';
import type { Direction, GapMode, Loss, NetworkProfile, PathProfile } from '../profile/profile.ts';

/** One direction of a device's network: impairments, one after the other, as packets meet them. */
export class Path {
  /** Whether the last packet that was lost found the link's queue full. */
  queueWasFull = false;
  private readonly gaps: Gaps;
  private readonly addedLoss: AddedLoss;
  private readonly link: Impairment;
  private readonly parts: readonly Impairment[];

  constructor(profile: NetworkProfile, direction: Direction, key: DrawKey) {
    const draws = (purpose: 'loss' | 'state' | 'jitter' | 'added loss') => new Draws(key, streamOf(direction, purpose));
    const path = profile[direction];
    this.gaps = new Gaps(profile.events, direction, key);
    this.addedLoss = new AddedLoss(draws('added loss'));
    this.link = linkOf(path);
    const parts = [
      new Outage(this.gaps),
      this.addedLoss,
      lossOf(path.loss, draws('loss'), draws('state')),
      this.link,
      path.jitter ? new JitteredDelay(path.delayUs, path.jitter, draws('jitter')) : new Delay(path.delayUs),
      path.reorder ? new Noop() : new InOrder(),
    ];
    // Spread, for what filter returns keeps room for more.
    this.parts = [...parts.filter((part) => !(part instanceof Noop))];
  }

  /**
   * When a packet that is sent at atUs, never decreasing, arrives; LOST if it never does. Bytes
   * include headers.
   */
  send(atUs: number, bytes: number): number {
    let at = atUs;
    for (let index = 0; index < this.parts.length; index++) {
      at = this.parts[index]!.pass(at, bytes);
      if (at !== LOST) continue;
      this.queueWasFull = this.parts[index] === this.link;
      return LOST;
    }
    return at;
  }

  /** Nothing passes from nowUs on, for that long. */
  cut(nowUs: number, forUs: number, mode: GapMode): void {
    this.gaps.cut(nowUs, forUs, mode);
  }

  /** Loses a share of the packets more from nowUs on, for that long. */
  lose(share: number, nowUs: number, forUs: number): void {
    this.addedLoss.begin(share, nowUs + forUs);
  }
}

function lossOf(loss: Loss, draws: Draws, spells: Draws): Impairment {
  if (loss.model === 'none') return new Noop();
  if (loss.model === 'iid') return new IidLoss(loss.share, draws);
  return loss.clock === 'packet' ? new GilbertElliott(loss, draws) : new Fading(loss, spells, draws);
}

function linkOf(path: PathProfile): Impairment {
  if (path.opportunitiesMs) return new LinkTrace(path.opportunitiesMs, path.queuePackets);
  if (path.rateBitsPerSecond === undefined) return new Noop();
  return new RateQueue(path.rateBitsPerSecond, path.queuePackets);
}
