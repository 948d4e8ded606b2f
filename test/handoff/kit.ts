import type { HandingSession, HandoffLog, LateFinal } from '../../src/handoff/handoff.ts';
import type { HandedUtterance } from '../../src/handoff/record.ts';

export const silentLog: HandoffLog = { info() {}, warn() {}, error() {} };

/** A log that a test reads: the sentences with why. */
export function readableLog(): { log: HandoffLog; said: string[] } {
  const said: string[] = [];
  const say = (fields: object, message: string): void => {
    said.push(`${message}: ${(fields as { why?: string }).why ?? ''}`);
  };
  return { log: { info: say, warn: say, error: say }, said };
}

export function handingSession(sessionId: string): HandingSession {
  return { sessionId, tokenHash: 't', owner: undefined, model: 'm 1' };
}

/** The final of an utterance that is the event of the same number. */
export function lateFinal(utteranceId: number): LateFinal {
  return { utteranceId, eventId: utteranceId };
}

/** An utterance of `samples` samples. */
export function handedUtterance(samples = 320, changes: Partial<HandedUtterance> = {}): HandedUtterance {
  return {
    reference: { text: 'The cat sat.' },
    startMs: 1200,
    sampleRateHz: 16_000,
    reason: 'finalize',
    marker: null,
    toldMs: 0,
    toldRev: 0,
    sound: [Int16Array.from({ length: samples }, (_, at) => (at * 37) % 1000)],
    ...changes,
  };
}
