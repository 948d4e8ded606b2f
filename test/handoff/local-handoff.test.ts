import { InMemorySpanExporter } from '@opentelemetry/sdk-trace-base';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Handoff } from '../../src/handoff/handoff.ts';
import { LocalHandoff, type LocalHandoffOptions } from '../../src/handoff/local-handoff.ts';
import type { HandedScoring } from '../../src/handoff/score-handed.ts';
import { TracedQueue } from '../../src/queue/traced-queue.ts';
import { MemoryResultStore } from '../../src/stores/memory-result-store.ts';
import { Traces } from '../../src/telemetry/tracing/otlp-tracing.ts';
import { scriptedEngine, scriptedScoring } from '../kit/server/scripted.ts';
import { handedUtterance, handingSession, lateFinal, readableLog } from './kit.ts';

const keepMs = 60_000;

/** A server's end of it; pauses take no time but on the clock. */
function opened(changes: Partial<LocalHandoffOptions> = {}) {
  let nowMs = 1_000_000;
  const wallMs = (): number => nowMs;
  const results = new MemoryResultStore(wallMs);
  const { log, said } = readableLog();
  const pause = async (ms: number): Promise<void> => {
    nowMs += ms;
    await new Promise((resolve) => setImmediate(resolve));
  };
  const common = { results, region: '', keepMs, log, wallMs, pause };
  const local = new LocalHandoff({ ...common, sharesResults: false, maxBytes: 1e6, random: () => 0.5, ...changes });
  const handoff = new Handoff({ ...common, queue: local.queue, maxSoundBytes: 1e6, maxOutboxBytes: 1e7 });
  onTestFinished(() => local.close(0));
  let handed = 0;
  const hand = async (count: number, samples = 320): Promise<void> => {
    for (const upTo = handed + count; handed < upTo; )
      handoff.hand(handingSession('s'), lateFinal(++handed), handedUtterance(samples, { sound: seconds(samples) }));
    await expect.poll(() => handoff.numbers.outcomes.handed).toBe(handed);
  };
  const states = async (): Promise<string[]> => {
    const found = await results.read('s');
    return found.kind === 'found' ? found.utterances.map(({ state }) => state) : [found.kind];
  };
  return { local, handoff, results, said, hand, states, pass: (ms: number) => (nowMs += ms), wallMs };
}

/** So many samples in parts of a second, as a session keeps them. */
function seconds(samples: number): Int16Array[] {
  const parts: Int16Array[] = [];
  for (let left = samples; left > 0; left -= 16_000) parts.push(new Int16Array(Math.min(left, 16_000)));
  return parts;
}

/** What follows a queue, and what became of its records: why each failed, '' for those that did not. */
function followed() {
  const exporter = new InMemorySpanExporter();
  const tracing = new Traces({ exporter, version: '1', share: 0, slowMs: 500, random: () => 0.5, onTrouble() {} });
  onTestFinished(() => tracing[Symbol.asyncDispose]());
  const ends = async (name: string): Promise<unknown[]> => {
    await tracing.flush();
    const spans = exporter.getFinishedSpans().filter((span) => span.name === name);
    return spans.map(({ attributes }) => attributes['error.type'] ?? '');
  };
  const traced: LocalHandoffOptions['traced'] = (queue) =>
    new TracedQueue(queue, { tracing, system: 'memory', topic: 'handoff' });
  return { traced, ends };
}

const failing: HandedScoring['openUtterance'] = () => {
  throw new Error('the model died');
};

function scoring(openUtterance: HandedScoring['openUtterance'] = scriptedScoring.openUtterance): HandedScoring {
  return { engine: () => scriptedEngine(), readReference: scriptedScoring.readReference, openUtterance };
}

describe('a server that scores what it hands over', () => {
  it('scores what came before and after it could, one utterance at a time', async () => {
    const { local, hand, states } = opened();
    await hand(2);
    expect(await states()).toEqual(['pending', 'pending']);
    let open = 0;
    let most = 0;
    const counting: HandedScoring['openUtterance'] = (engine, reference, settings, events) => {
      expect(settings.canWait).toBe(true);
      most = Math.max(most, ++open);
      const utterance = scriptedScoring.openUtterance(engine, reference, settings, events);
      const close = (): void => {
        open -= 1;
        utterance.close();
      };
      return {
        push: (pcm) => utterance.push(pcm),
        gap: (ms) => utterance.gap(ms),
        finish: () => utterance.finish(),
        close,
      };
    };
    local.begin({ scoring: scoring(counting), hasRoom: () => true });
    await expect.poll(states).toEqual(['done', 'done']);
    await hand(1);
    await expect.poll(() => local.numbers).toMatchObject({ waiting: 0, waitingBytes: 0, outcomes: { scored: 3 } });
    expect(most).toBe(1);
  });

  it('begins nothing while there is no room, and goes on when there is', async () => {
    const { local, hand, states, wallMs } = opened();
    await hand(1);
    const fromMs = wallMs();
    let looks = 0;
    local.begin({ scoring: scoring(), hasRoom: () => ++looks > 30 });
    await expect.poll(states).toEqual(['done']);
    expect(wallMs() - fromMs).toBeGreaterThanOrEqual(3000);
  });

  it('pushes no more once there is no room in the midst of an utterance', async () => {
    const { local, hand, states } = opened();
    let pushed = 0;
    let hasRoom = true;
    let looks = 0;
    const pushing: HandedScoring['openUtterance'] = (engine, reference, settings, events) => {
      const utterance = scriptedScoring.openUtterance(engine, reference, settings, events);
      const push = (pcm: Int16Array | Float32Array): void => {
        pushed += 1;
        hasRoom = pushed !== 2;
        utterance.push(pcm);
      };
      return { push, gap: (ms) => utterance.gap(ms), finish: () => utterance.finish(), close: () => utterance.close() };
    };
    const looked = (): boolean => {
      if (!hasRoom) {
        expect(pushed).toBe(2);
        hasRoom = ++looks > 20;
      }
      return hasRoom;
    };
    local.begin({ scoring: scoring(pushing), hasRoom: looked });
    await hand(1, 64_000);
    await expect.poll(states).toEqual(['done']);
    expect(looks).toBeGreaterThan(20);
  });

  it('tells the learner of what was too old to be scored', async () => {
    const { local, hand, states, said, results } = opened();
    await hand(2);
    // They are remembered for longer than they may wait.
    await results.expect(
      { sessionId: 's', utteranceId: 9, tokenHash: 't', owner: undefined, dataKey: 'k', eventId: 9 },
      10 * keepMs,
    );
    local.begin({ scoring: scoring(), hasRoom: () => false });
    await expect.poll(() => local.numbers.outcomes.expired).toBe(2);
    await expect.poll(states).toEqual(['failed', 'failed', 'pending']);
    expect(said.filter((line) => line.includes('too old') || line.includes('as long as sound'))).toHaveLength(2);
  });

  it('lets the oldest go for the newest, aloud', async () => {
    const { local, hand, states, said } = opened({ maxBytes: 2000 });
    await hand(3);
    expect(local.numbers).toMatchObject({ waiting: 2, outcomes: { full: 1 } });
    await expect.poll(states).toEqual(['failed', 'pending', 'pending']);
    const why = 'too much waits to be scored: the oldest makes room for the newest';
    expect(said).toContain(`an utterance is not scored later: ${why}`);
  });

  it('gives up, aloud, what cannot be scored', async () => {
    const { local, hand, states, said } = opened();
    await hand(1);
    local.begin({ scoring: scoring(failing), hasRoom: () => true });
    await expect.poll(states).toEqual(['failed']);
    expect(said.at(-1)).toBe('an utterance was given up: the model died');
    expect(local.numbers).toMatchObject({ waiting: 0, outcomes: { dead: 1 } });
  });

  it.each<
    [
      string,
      { opens?: HandedScoring['openUtterance']; maxBytes?: number; isOld?: true },
      Record<'score' | 'work', string[]>,
    ]
  >([
    ['are scored', {}, { score: ['', ''], work: ['', ''] }],
    ['are given up', { opens: failing }, { score: Array(10).fill('Error'), work: ['dead_letter', 'dead_letter'] }],
    ['make room', { maxBytes: 1000 }, { score: [''], work: ['full', ''] }],
    ['get too old', { isOld: true }, { score: [], work: ['expired', 'expired'] }],
  ])('traces what becomes of utterances that %s', async (_, { opens, maxBytes = 1e6, isOld }, { score, work }) => {
    const { traced, ends } = followed();
    const { local, hand, pass } = opened({ traced, maxBytes });
    await hand(2);
    if (isOld) pass(keepMs + 1);
    local.begin({ scoring: scoring(opens), hasRoom: () => true });
    await expect.poll(() => ends('process handoff')).toEqual(work);
    expect(await ends('send handoff')).toEqual(['', '']);
    expect(await ends('score')).toEqual(score);
  });

  it('traces what is lost with it, begun or not', async () => {
    const { traced, ends } = followed();
    const { local, hand } = opened({ traced });
    await hand(2);
    local.begin({ scoring: scoring(), hasRoom: () => false });
    await local.close(0);
    expect(await ends('process handoff')).toEqual(['ended', 'ended']);
  });

  it.each([
    ['says what is lost with it', false, ['failed', 'failed'], { ended: 2, scored: 0 }],
    ['scores what others may read before it ends', true, ['done', 'done'], { ended: 0, scored: 2 }],
  ])('%s', async (_, sharesResults, found, outcomes) => {
    const { local, hand, states, said } = opened({ sharesResults });
    await hand(2);
    // There is room only once nobody speaks any more.
    local.begin({ scoring: scoring(), hasRoom: () => false });
    await local.close(20_000);
    expect(await states()).toEqual(found);
    expect(local.numbers).toMatchObject({ waiting: 0, outcomes });
    const lost = said.filter((line) => line.endsWith('the server ended before it was scored'));
    expect(lost).toHaveLength(outcomes.ended);
  });
});
