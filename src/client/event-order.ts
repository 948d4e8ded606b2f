import type { ServerEvent } from '../protocol/server-messages.ts';
import type { EventProblem } from '../protocol/server-schema.ts';

/**
 * Whether each event of a session may come when it comes: nothing is heard before `ready`, which
 * comes once a connection; results are of utterances that have begun; no frame is acknowledged that
 * was not sent. A late final comes without `ready`, to a client that comes back to a session which
 * has ended. An event that breaks this makes no sense to who keeps books of the session.
 */
export class EventOrder {
  #ready = false;
  #firstUtterance: number | undefined;

  /** A new connection: its `ready` is still to come. */
  begin(): void {
    this.#ready = false;
  }

  /**
   * What is wrong with an event that came when so many frames were numbered and so many utterances
   * begun after the first; undefined for a good one.
   */
  check(event: ServerEvent, framesSent: number, utterancesBegun: number): EventProblem | undefined {
    if (event.type === 'error' || event.type === 'info' || event.type === 'go_away') return undefined;
    if (event.type === 'ready') return this.#readyProblem(event, framesSent, utterancesBegun);
    const isLate = event.type === 'utterance_final' && event.late === true && this.#firstUtterance !== undefined;
    if (!this.#ready && !isLate) return problem(event.type, 'it came before ready');
    if (event.type === 'ack') return framesProblem(event.type, event.next_seq, framesSent);
    if ('utterance_id' in event) return this.#utteranceProblem(event.type, event.utterance_id, utterancesBegun);
    return undefined;
  }

  #readyProblem(
    { type, utterance_id, next_seq }: Extract<ServerEvent, { type: 'ready' }>,
    framesSent: number,
    utterancesBegun: number,
  ): EventProblem | undefined {
    if (this.#ready) return problem(type, 'it came a second time on one connection');
    const first = this.#firstUtterance ?? utterance_id;
    const wrong =
      framesProblem(type, next_seq, framesSent) ?? this.#utteranceProblem(type, utterance_id, utterancesBegun);
    if (wrong) return wrong;
    this.#ready = true;
    this.#firstUtterance = first;
    return undefined;
  }

  #utteranceProblem(type: string, id: number, utterancesBegun: number): EventProblem | undefined {
    const first = this.#firstUtterance ?? id;
    const last = first + utterancesBegun;
    if (id >= first && id <= last) return undefined;
    return problem(type, `utterance_id: ${id} was never begun; allowed: ${first} to ${last}`);
  }
}

function framesProblem(type: string, nextSeq: number, framesSent: number): EventProblem | undefined {
  if (nextSeq <= framesSent) return undefined;
  return problem(type, `next_seq: ${nextSeq} is beyond the ${framesSent} frames that were sent`);
}

function problem(type: string, what: string): EventProblem {
  return { kind: `${type}: ${what.replace(/\d+/g, '*')}`, problem: `${type}: ${what}` };
}
