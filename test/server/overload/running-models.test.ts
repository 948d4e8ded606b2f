import { describe, expect, it } from 'vitest';
import type { NodeDirectory, NodeView } from '../../../src/server/node-directory.ts';
import { RunningModels } from '../../../src/server/overload/running-models.ts';
import type { SlotNumbers, SlotSource } from '../../../src/telemetry/slot-metrics.ts';
import { scriptedEngine, scriptedScoring } from '../../kit/server/scripted.ts';

const slotsOf = (slots: number, free: number, more: Partial<SlotNumbers> = {}): SlotSource => ({
  places: () => free + 1,
  stats: () => ({ slots, free, trunks: 1, refused: 2, spilled: 1, rehoused: { lost: 1, moved: 0 }, ...more }),
});

const nodeAt = (address: string, model: string | undefined, leases: number): NodeView => ({
  ...{ address, model, leases, isUp: model !== undefined, isDraining: false },
  ...(model === undefined ? { slots: 0, free: 0 } : { slots: 8, free: 8 - leases }),
});

/** Nodes of which each model's pool knows all, and reaches those that run it. */
const directoryOf = (nodes: readonly NodeView[], sessions: Record<string, string> = {}): NodeDirectory => ({
  nodes: () => nodes,
  nodeOf: (session) => sessions[session],
});

const own = { engine: scriptedEngine(), scoring: scriptedScoring };
const versioned = (version: string) => ({ ...own.engine, model: { ...own.engine.model, version } });

function running(slots: SlotSource | undefined, beside: SlotSource | undefined) {
  return new RunningModels({
    own: () => own,
    elsewhere: () => ({
      slots,
      nodes: slots && directoryOf([nodeAt('a', 'm 0', 3), nodeAt('b', undefined, 0)], { s1: 'a' }),
    }),
    beside: () => [
      {
        ...{ engine: versioned('9'), scoring: scriptedScoring, sessions: 2, slots: beside },
        nodes: beside && directoryOf([nodeAt('a', undefined, 0), nodeAt('b', 'm 9', 2)], { s2: 'b' }),
      },
    ],
    sessions: () => 5,
  });
}

describe('all models of a server', () => {
  it('have the slots of all their nodes, and each its own', () => {
    const models = running(slotsOf(8, 5), slotsOf(4, 2, { rehoused: { lost: 0, moved: 3 } }));
    expect(models.slots()).toEqual({
      ...{ slots: 12, free: 7, trunks: 2, refused: 4, spilled: 2 },
      rehoused: { lost: 1, moved: 3 },
    });
    expect(models.places()).toBe(9);
    expect(models.figures()).toMatchObject([
      { version: '0', sessions: 3, slots: { slots: 8, free: 5 } },
      { version: '9', sessions: 2, slots: { slots: 4, free: 2 } },
    ]);
  });

  it('have each node once, as the one sees it that it runs', () => {
    const models = running(slotsOf(8, 5), slotsOf(8, 6));
    expect(models.nodes().map(({ address, model, isUp, leases }) => [address, model, isUp, leases])).toEqual([
      ['a', 'm 0', true, 3],
      ['b', 'm 9', true, 2],
    ]);
    expect(['s1', 's2', 's3'].map((session) => models.nodeOf(session))).toEqual(['a', 'b', undefined]);
  });

  it('have no slots and no bound where they run here', () => {
    const models = running(undefined, undefined);
    expect([models.slots(), models.places(), models.nodes(), models.nodeOf('s1')]).toEqual([
      undefined,
      Number.POSITIVE_INFINITY,
      [],
      undefined,
    ]);
    expect(models.figures().map(({ slots }) => slots)).toEqual([undefined, undefined]);
  });
});
