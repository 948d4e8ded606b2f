import { describe, expect, it } from 'vitest';
import { latencyBudget } from '../../../src/budget/file/schema.ts';

const objective = { percentile: 95, value: '100ms' };
const asr = { name: 'asr', budget: '60ms' };
const network = { name: 'network', budget: '40ms' };

describe('the parts of a budget that do not fit together', () => {
  it.each<[string, object, string[]]>([
    [
      'a sum that falls short',
      { stages: [asr, { ...network, budget: '39.9996ms' }, { name: 'queue', budget: '0ms' }], objective },
      [],
    ],
    [
      'a sum that falls short by what counts',
      { stages: [asr, { ...network, budget: '39.9ms' }] },
      [
        "stages: stages and reserve sum to 99.9 ms (60 + 39.9 + 0), not to the objective's 100 ms; 0.1 ms are unspent: raise the reserve",
      ],
    ],
    [
      'a sum that is half a microsecond short',
      { stages: [asr, { ...network, budget: '39.9994ms' }] },
      [
        "stages: stages and reserve sum to 99.999 ms (60 + 39.999 + 0), not to the objective's 100 ms; 0.001 ms are unspent: raise the reserve",
      ],
    ],
    [
      'a sum that is too much, with a reserve',
      { stages: [asr, network], reserve: '12.5ms' },
      ["stages: stages and reserve sum to 112.5 ms (60 + 40 + 12.5), not to the objective's 100 ms; 12.5 ms too many"],
    ],
    [
      'a time that was refused: no sum is made of it',
      { stages: [asr, { ...network, budget: '9 parsecs' }] },
      ['stages.1.budget: duration "9 parsecs" has the unknown unit "parsecs"; allowed: us, ms, s, m, h'],
    ],
    [
      'a stage named as a row of the report',
      {
        stages: [
          { ...asr, name: 'unattributed' },
          { ...network, name: 'reserve' },
        ],
      },
      [
        'stages.0.name: "unattributed" is no stage: the report has a row of that name',
        'stages.1.name: "reserve" is no stage: the report has a row of that name',
      ],
    ],
    [
      'a stage that stands there already',
      { stages: [asr, { ...network, name: 'asr' }] },
      ['stages.1.name: a stage "asr" stands already at stages.0'],
    ],
    [
      'a trace stage in two stages',
      {
        stages: [
          { ...asr, of: ['window', 'asr'] },
          { ...network, of: ['uplink', 'window'] },
        ],
      },
      ['stages.1.of: the trace stage "window" is already counted in "asr"'],
    ],
    [
      'a stage’s own name that another counts',
      { stages: [{ ...asr, of: ['network'] }, network] },
      ['stages.1.name: the trace stage "network" is already counted in "asr"'],
    ],
    [
      'a trace stage that is counted and unattributed',
      { stages: [asr, network], unattributed: ['late', 'asr'] },
      ['unattributed.1: the trace stage "asr" is already counted in "asr"'],
    ],
    [
      'a trace stage that is unattributed twice',
      { stages: [asr, network], unattributed: ['late', 'late'] },
      ['unattributed.1: the trace stage "late" is already counted in "unattributed"'],
    ],
    [
      'a what-if of the same name, one about no stage',
      {
        stages: [asr, network],
        whatIf: [
          { name: 'x', changes: [{ stage: 'asr', remove: true }] },
          {
            name: 'y',
            changes: [
              { stage: 'network', remove: true },
              { stage: 'netwrk', remove: true },
            ],
          },
          { name: 'x', changes: [{ stage: 'disk', remove: true }] },
        ],
      },
      [
        'whatIf.1.changes.1.stage: "netwrk" is not a stage of the budget (did you mean "network"?); its stages: asr, network',
        'whatIf.2.changes.0.stage: "disk" is not a stage of the budget; its stages: asr, network',
        'whatIf.2.name: a what-if "x" stands already at whatIf.0',
      ],
    ],
    [
      'a distribution for some stages',
      { stages: [{ ...asr, distribution: { constant: '5ms' } }, network] },
      ['stages.1: "network" declares no distribution though others do; a known time is {constant: 20ms}'],
    ],
    [
      'a correlation of no stage',
      {
        stages: [asr, network],
        correlation: [
          { between: ['asr', 'network'], value: 0.5 },
          { between: ['asr', 'netwrk'], value: 0.5 },
          { between: ['disk', 'asr'], value: 0.5 },
        ],
      },
      [
        'correlation.1.between: "netwrk" is not a stage of the budget (did you mean "network"?); its stages: asr, network',
        'correlation.2.between: "disk" is not a stage of the budget; its stages: asr, network',
      ],
    ],
    [
      'one correlation that three cannot have',
      { stages: [asr, network, { name: 'queue', budget: '0ms' }], correlation: -0.6 },
      ['correlation: contradicts itself: no stages can be correlated so (the matrix is not positive semidefinite)'],
    ],
    [
      'correlations of pairs that contradict',
      {
        stages: [asr, network, { name: 'queue', budget: '0ms' }],
        correlation: [
          { between: ['asr', 'network'], value: 1 },
          { between: ['network', 'queue'], value: 1 },
          { between: ['queue', 'asr'], value: 0 },
        ],
      },
      ['correlation: contradicts itself: no stages can be correlated so (the matrix is not positive semidefinite)'],
    ],
    [
      'correlations that are possible',
      { stages: [asr, network], correlation: [{ between: ['network', 'asr'], value: -1 }] },
      [],
    ],
    ['one correlation that two can have', { stages: [asr, network], correlation: -1 }, []],
    ['all in order', { stages: [asr, { ...network, of: ['uplink', 'downlink'] }], unattributed: ['late'] }, []],
  ])('%s', (_name, spec, problems) => expect(problemsIn(spec)).toEqual(problems));
});

describe('what fits beside what is faulty itself', () => {
  it.each<[string, object, string[]]>([
    [
      'an objective of nothing',
      { objective: 7, stages: [asr, asr] },
      ['stages.1.name: a stage "asr" stands already at stages.0'],
    ],
    ['no stages', { stages: [] }, []],
    [
      'a stage without a name, and others',
      { stages: [{ budget: '100ms' }, { ...asr, budget: '0ms' }, { ...asr, budget: '0ms' }] },
      ['stages.2.name: a stage "asr" stands already at stages.1'],
    ],
    [
      'stages that are text',
      { stages: 'asr', whatIf: [{ name: 'x', changes: [{ stage: 'asr', remove: true }] }] },
      ['whatIf.0.changes.0.stage: "asr" is not a stage of the budget; its stages: '],
    ],
    [
      'trace stages of which one is a number',
      { stages: [{ ...asr, of: ['a', 7, 'a'] }, network] },
      ['stages.0.of: the trace stage "a" is already counted in "asr"'],
    ],
    [
      'what is unattributed, of which one is a number',
      { stages: [asr, network], unattributed: [7, 'asr', 7] },
      ['unattributed.1: the trace stage "asr" is already counted in "asr"'],
    ],
    [
      'what-ifs without names and changes',
      {
        stages: [asr, network],
        whatIf: [{}, {}, null, { name: 'x', changes: [null, { stage: 7 }, { stage: 'disk', remove: true }] }],
      },
      ['whatIf.3.changes.2.stage: "disk" is not a stage of the budget; its stages: asr, network'],
    ],
    ['a correlation out of range', { stages: [asr, network, { name: 'queue', budget: '0ms' }], correlation: -7 }, []],
    ['a correlation of text', { stages: [asr, network], correlation: 'much' }, []],
    [
      'pairs of which one has no range and one no second stage',
      {
        stages: [asr, network],
        correlation: [
          { between: ['disk', 'asr'], value: 7 },
          { between: ['disk'], value: 0.5 },
          { between: [7, 'disk'], value: 0.5 },
          null,
        ],
      },
      [],
    ],
    [
      'pairs of which one is of no stage',
      {
        stages: [asr, network],
        correlation: [
          { between: ['disk', 7], value: 0 },
          { between: ['asr', 'tape'], value: -1 },
        ],
      },
      ['correlation.0.between: "tape" is not a stage of the budget; its stages: asr, network'],
    ],
  ])('%s', (_name, spec, problems) => {
    const all = problemsIn(spec);
    expect(
      all.filter((problem) =>
        /already|is not a stage of the budget[;(]|is not a stage of the budget .did|no stage:|declares no|contradicts|sum to/.test(
          problem,
        ),
      ),
    ).toEqual(problems);
  });
});

/** Every problem of the spec with its path below `spec`. */
function problemsIn(spec: object): string[] {
  const found = latencyBudget.safeParse({ kind: 'LatencyBudget', spec: { objective, ...spec } });
  return (found.error?.issues ?? []).map(({ path, message }) => `${path.slice(1).join('.')}: ${message}`);
}
