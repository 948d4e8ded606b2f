import { SpeechfbError } from '../../errors.ts';
import type { Place } from './leg.ts';
import type { NodeLink } from './node-link.ts';
import { RemoteUtterance, type RemoteUtteranceOptions } from './remote-utterance.ts';

export type RemoteSessionOptions = {
  /** A slot at some node but `avoid`, or the reason why there is none. */
  findPlace(avoid: NodeLink | undefined, onLost: (place: Place) => void): Promise<Place | string>;
  onBroken(place: Place, why: string): void;
  /** Its utterances go on at another node after theirs was lost, or were moved there. */
  onMoved(why: 'lost' | 'moved'): void;
  /** How long it may be without a place before it fails, ms. */
  homelessMs: number;
  now(): number;
};

type UtteranceOptions = Omit<RemoteUtteranceOptions, 'onHomeless' | 'onBroken' | 'onSwitched' | 'onClosed'>;

/**
 * One session at the nodes: it has a slot at one of them for all of its utterances, takes another
 * when that node is lost, and moves to another when that node wants to go.
 */
export class RemoteSession {
  readonly #options: RemoteSessionOptions;
  readonly #utterances = new Set<RemoteUtterance>();
  #place: Place | undefined;
  /** Where its utterances were before they moved; kept until the last has. */
  #left: Place | undefined;
  #search: 'none' | 'home' | 'move' = 'none';
  #homelessSinceMs: number | undefined;
  #hadPlace = false;
  #isOver = false;

  constructor(options: RemoteSessionOptions) {
    this.#options = options;
  }

  get place(): Place | undefined {
    return this.#place;
  }

  open(options: UtteranceOptions): RemoteUtterance {
    const utterance = new RemoteUtterance({
      ...options,
      onHomeless: (homeless) => this.#house(homeless),
      onBroken: (place, why) => this.#options.onBroken(place, why),
      onSwitched: () => this.#leaveOld(),
      onClosed: (closed) => {
        this.#utterances.delete(closed);
        this.#leaveOld();
      },
    });
    this.#utterances.add(utterance);
    return utterance;
  }

  /** Goes to another node, seamlessly; stays where there is none. */
  async move(): Promise<void> {
    const from = this.#place;
    if (!from || this.#search !== 'none' || this.#isOver) return;
    this.#search = 'move';
    const found = await this.#options.findPlace(from.link, (place) => this.#lost(place));
    this.#search = 'none';
    if (typeof found === 'string') {
      if (!this.#place) this.#searchHome();
      return;
    }
    if (this.#isOver || this.#place !== from) {
      this.#settleOrRelease(found);
      return;
    }
    this.#left = from;
    this.#place = found;
    for (const utterance of this.#utterances) if (utterance.place) utterance.moveTo(found);
    this.#options.onMoved('moved');
    this.#leaveOld();
  }

  /** Gives its slot back. */
  end(): void {
    this.#isOver = true;
    for (const utterance of [...this.#utterances]) utterance.close();
    for (const place of [this.#place, this.#left]) place?.link.release(place.lease);
    this.#place = undefined;
    this.#left = undefined;
  }

  #house(utterance: RemoteUtterance): void {
    if (this.#place) utterance.settle(this.#place);
    else this.#searchHome();
  }

  #lost(place: Place): void {
    if (this.#left === place) this.#left = undefined;
    else if (this.#place === place) {
      this.#place = this.#left;
      this.#left = undefined;
    }
    for (const utterance of [...this.#utterances]) utterance.lose(place);
  }

  #searchHome(): void {
    if (this.#search !== 'none' || this.#isOver) return;
    this.#search = 'home';
    this.#homelessSinceMs ??= this.#options.now();
    void this.#options
      .findPlace(undefined, (place) => this.#lost(place))
      .then((found) => {
        this.#search = 'none';
        if (typeof found === 'string') this.#homeless(found);
        else this.#settleOrRelease(found);
      });
  }

  #settleOrRelease(found: Place): void {
    if (this.#isOver || this.#place) {
      found.link.release(found.lease);
      return;
    }
    this.#homelessSinceMs = undefined;
    this.#place = found;
    if (this.#hadPlace) this.#options.onMoved('lost');
    this.#hadPlace = true;
    for (const utterance of this.#utterances) if (utterance.retainedBytes > 0) utterance.settle(found);
  }

  /** No node had a slot: tries again soon, or gives up. */
  #homeless(why: string): void {
    const { homelessMs, now } = this.#options;
    if (this.#isOver) return;
    if (now() - (this.#homelessSinceMs ?? now()) < homelessMs) {
      setTimeout(() => this.#searchHome(), retryMs).unref();
      return;
    }
    this.#homelessSinceMs = undefined;
    const error = new SpeechfbError('no_slot', `no node has a free slot for ${homelessMs} ms (${why})`);
    for (const utterance of [...this.#utterances]) if (utterance.retainedBytes > 0) utterance.fail(error);
  }

  /** The slot that it moved from is free when no utterance is there any more. */
  #leaveOld(): void {
    const left = this.#left;
    if (!left) return;
    for (const { place } of this.#utterances) if (place === left) return;
    this.#left = undefined;
    left.link.release(left.lease);
  }
}

const retryMs = 150;
