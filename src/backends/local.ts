import type { Backend, Hearing, HearingEvents, HearingInput } from './backend.ts';
import { HearingGate } from './hearing-gate.ts';

/**
 * A model of ours as a backend. The session that it scores has its transcript from it already, so
 * that this is for sound which is heard a second time, unseen: `listen`, which the server gives,
 * begins that.
 */
export function localBackend(name: string, listen: (input: HearingInput, on: HearingEvents) => Hearing): Backend {
  const gates = new Set<() => void>();
  return {
    name,
    kind: 'local',
    open(input, on) {
      const end = (): void => {
        if (gate.close()) hearing.close();
      };
      const gate = new HearingGate(on, () => gates.delete(end));
      gates.add(end);
      const hearing = listen(input, {
        onReady: () => gate.ready(),
        onText: (text) => gate.text(text),
        onError: (error) => gate.fail(error),
      });
      return {
        push: (pcm, startMs) => {
          if (!gate.over) hearing.push(pcm, startMs);
        },
        utteranceOver: () => {
          if (!gate.over) hearing.utteranceOver();
        },
        next: (reference) => {
          if (!gate.over) hearing.next(reference);
        },
        close: end,
      };
    },
    async close() {
      for (const end of [...gates]) end();
    },
  };
}
