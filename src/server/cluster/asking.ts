import type { Answer, QuestionOf, Questions } from './messages.ts';

/** Asks another process, and hears its answers in whatever order they come. */
export class Asking<Q extends Questions> {
  readonly #send: (question: QuestionOf<Q>) => void;
  readonly #waiting = new Map<number, (answer: object | undefined) => void>();
  #next = 0;

  constructor(send: (question: QuestionOf<Q>) => void) {
    this.#send = send;
  }

  /** Resolves to undefined when the other process ends, or has not answered within `patienceMs`. */
  ask<Name extends keyof Q & string>(
    name: Name,
    ask: Q[Name]['ask'],
    patienceMs = defaultPatienceMs,
  ): Promise<Q[Name]['answer'] | undefined> {
    const id = this.#next++;
    return new Promise((resolve) => {
      const timer = setTimeout(() => settle(undefined), patienceMs);
      const settle = (answer: object | undefined): void => {
        clearTimeout(timer);
        this.#waiting.delete(id);
        resolve(answer);
      };
      this.#waiting.set(id, settle);
      this.#send({ type: 'question', id, name, ask } as QuestionOf<Q>);
    });
  }

  /** Takes an answer; false: it came too late, and what it grants must be given back. */
  heard({ id, answer }: Answer): boolean {
    const settle = this.#waiting.get(id);
    settle?.(answer);
    return settle !== undefined;
  }

  /** Nobody will answer any more. */
  end(): void {
    for (const settle of this.#waiting.values()) settle(undefined);
  }
}

const defaultPatienceMs = 5000;
