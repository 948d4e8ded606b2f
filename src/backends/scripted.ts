import type { Script, ScriptFault } from '../routing/policy/script.ts';
import type { Backend, Hearing, HearingEvents, HearingInput } from './backend.ts';
import { ScriptedHearing } from './scripted-hearing.ts';
import type { Time } from './time.ts';

/**
 * A backend that says what a script says, when it says so, and fails as told: for tests, and for
 * game days on a service that learners use. It hears how much sound there is and nothing of it.
 */
export function scripted(name: string, script: Script, time: Time): Backend {
  return new Scripted(name, script, time);
}

class Scripted implements Backend {
  readonly kind = 'scripted';
  readonly name: string;
  readonly #script: Script;
  readonly #time: Time;
  /** Times of faults count from here. */
  readonly #beganMs: number;
  readonly #hearings = new Set<ScriptedHearing>();

  constructor(name: string, script: Script, time: Time) {
    this.name = name;
    this.#script = script;
    this.#time = time;
    this.#beganMs = time.now();
    for (const fault of script.faults)
      if (fault.kind === 'cut') time.at(this.#beganMs + fault.from, () => this.#cut(fault));
  }

  open(input: HearingInput, on: HearingEvents): Hearing {
    const hearing = new ScriptedHearing({
      name: this.name,
      input,
      script: this.#script,
      time: this.#time,
      faultNow: (kind) => this.#faultNow(kind, input.session),
      on,
      onOver: () => this.#hearings.delete(hearing),
    });
    this.#hearings.add(hearing);
    hearing.begin();
    return hearing;
  }

  async close(): Promise<void> {
    for (const hearing of [...this.#hearings]) hearing.close();
  }

  #cut(fault: ScriptFault): void {
    for (const hearing of [...this.#hearings]) if (hits(fault, hearing.session)) hearing.cut();
  }

  #faultNow(kind: ScriptFault['kind'], session: string): ScriptFault | undefined {
    const atMs = this.#time.now() - this.#beganMs;
    return this.#script.faults.find(
      (fault) =>
        fault.kind === kind &&
        atMs >= fault.from &&
        atMs < fault.from + (fault.for ?? Number.POSITIVE_INFINITY) &&
        hits(fault, session),
    );
  }
}

/** A session's place among the shares, the same each time (FNV-1a, 32 bits). */
function hits({ share }: ScriptFault, session: string): boolean {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(session)) hash = Math.imul(hash ^ byte, 0x01000193);
  return (hash >>> 0) / 2 ** 32 < share;
}
