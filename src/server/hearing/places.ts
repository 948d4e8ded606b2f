import type { Lane } from '../../protocol/client-messages.ts';

/** What has a place of the batch lane at a backend, and gives it to a learner who wants it. */
export type Yielding = () => void;

/** The sessions that each backend hears, by lane. */
export class BackendPlaces {
  readonly #taken = new Map<string, { live: number; batch: Set<Yielding> }>();

  /** Sessions at a backend; of one lane where it is named. */
  at(backend: string, lane?: Lane): number {
    const taken = this.#taken.get(backend);
    if (!taken) return 0;
    if (lane === 'live') return taken.live;
    return lane === 'batch' ? taken.batch.size : taken.live + taken.batch.size;
  }

  /**
   * Takes a place; the function gives it back, once.
   *
   * @param mostSessions that the backend may have: a batch session makes room for one of the lane
   *   live
   */
  take(backend: string, lane: Lane, mostSessions: number, giveWay: Yielding): () => void {
    const taken = this.#taken.get(backend) ?? { live: 0, batch: new Set<Yielding>() };
    this.#taken.set(backend, taken);
    if (lane === 'live' && taken.live + taken.batch.size >= mostSessions) {
      const newest = [...taken.batch].at(-1);
      newest?.();
    }
    if (lane === 'live') taken.live += 1;
    else taken.batch.add(giveWay);
    let isTaken = true;
    return () => {
      if (!isTaken) return;
      isTaken = false;
      if (lane === 'live') taken.live -= 1;
      else taken.batch.delete(giveWay);
    };
  }
}
