/** How far a server has gone. */
export type DrainState = {
  /** `serving`; `emptying`: nobody new comes in; `leaving`: who is left is told to go. */
  phase: 'serving' | 'emptying' | 'leaving';
  /** What was open when it began, and now. */
  openAtStart: number;
  open: number;
  /** How long it has been going on, and until those who are left are told to go, ms. */
  sinceMs: number;
  leftMs: number;
};

export type DrainControlOptions = {
  /** What is open now. */
  open(): number;
  cordon(isCordoned: boolean): void;
  /** Goes away, whoever is inside. */
  leave(): void;
  /** Monotonic, ms. */
  now(): number;
};

/**
 * Empties a server on purpose: nobody new is let in, those inside have until a deadline to end by
 * themselves, then the server goes away as after SIGTERM. Until then it can be called off.
 */
export class DrainControl {
  readonly #options: DrainControlOptions;
  #phase: DrainState['phase'] = 'serving';
  #startedMs = 0;
  #deadlineMs = 0;
  #openAtStart = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: DrainControlOptions) {
    this.#options = options;
  }

  state(): DrainState {
    const nowMs = this.#options.now();
    const isServing = this.#phase === 'serving';
    return {
      phase: this.#phase,
      openAtStart: this.#openAtStart,
      open: this.#options.open(),
      sinceMs: isServing ? 0 : Math.round(nowMs - this.#startedMs),
      leftMs: this.#phase === 'emptying' ? Math.max(0, Math.round(this.#deadlineMs - nowMs)) : 0,
    };
  }

  /** Begins, unless it has begun: then everything stays as it is. */
  begin(withinMs: number): void {
    if (this.#phase !== 'serving') return;
    this.#phase = 'emptying';
    this.#startedMs = this.#options.now();
    this.#deadlineMs = this.#startedMs + withinMs;
    this.#openAtStart = this.#options.open();
    this.#options.cordon(true);
    this.#timer = setInterval(() => this.#look(), lookMs);
    this.#look();
  }

  /** Takes new sessions again; false: those who were left have been told to go. */
  cancel(): boolean {
    if (this.#phase === 'leaving') return false;
    this.close();
    this.#phase = 'serving';
    this.#openAtStart = 0;
    this.#options.cordon(false);
    return true;
  }

  /** Looks no more. */
  close(): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    const { open, now, leave } = this.#options;
    if (open() > 0 && now() < this.#deadlineMs) return;
    this.close();
    this.#phase = 'leaving';
    leave();
  }
}

const lookMs = 100;
