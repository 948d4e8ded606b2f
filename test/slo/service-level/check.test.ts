import { describe, expect, it } from 'vitest';
import { checkServiceLevel } from '../../../src/slo/service-level/check.ts';
import type { ServiceLevel } from '../../../src/slo/service-level/service-level.ts';
import { levelOf, oneObjective } from '../../kit/service-level-kit.ts';

const hour = 3_600_000;
const base = levelOf(oneObjective('  traffic: 100/min'));
const page = { severity: 'page', burn: 14.4, longMs: hour, tenthsMs: hour / 12 } as const;
const slow = { severity: 'ticket', burn: 1, longMs: 72 * hour, tenthsMs: 6 * hour } as const;

describe('the check of a service level', () => {
  it('says how each alert behaves for each objective', () => {
    const [available] = base.objectives;
    const loose = { ...available!, name: 'loose', target: 0.95 };
    const { alerts } = checkServiceLevel({ ...base, objectives: [available!, loose], alerts: [page, slow] });
    expect(alerts.map(({ objective, burn }) => [objective, burn])).toEqual([
      ['availability', 14.4],
      ['availability', 1],
      ['loose', 14.4],
      ['loose', 1],
    ]);
    expect(alerts[0]).toEqual({
      ...page,
      objective: 'availability',
      badShare: expect.closeTo(0.0144, 12),
      budgetSpent: expect.closeTo(0.02, 12),
      reachable: true,
      outageDetectedMs: expect.closeTo(51_840, 6),
      tenPercentDetectedMs: expect.closeTo(518_400, 5),
      eventsToCarryOneFailure: 70,
    });
    expect(alerts[2]).toMatchObject({
      outageDetectedMs: expect.closeTo(0.72 * hour, 5),
      tenPercentDetectedMs: Infinity,
    });
  });

  const alone = { eventsPerMinute: undefined };
  const inside =
    'ticket 3 d/6 h at 0.5x: fires inside the budget: at this burn the objective is still met over its period';
  const steady = 'a steady burn of 14.4 empties the budget in 2 d 2 h and fires nothing';
  const advice = 'write spec.traffic to check, or spec.minimumEvents to keep it silent';
  it.each<[string, Partial<ServiceLevel>, string[]]>([
    ['nothing', { alerts: [slow] }, []],
    ['no alert', { alerts: [] }, ['has no alert']],
    ['what only a fast burn fires', { alerts: [page] }, [steady]],
    [
      'the slowest burn of several',
      { alerts: [page, { ...slow, burn: 2 }, page] },
      ['a steady burn of 2 empties the budget in 15 d and fires nothing'],
    ],
    ['an alert below the budget', { alerts: [{ ...slow, burn: 0.5 }] }, [inside]],
    [
      'one failure among events that nobody counted',
      { ...alone, alerts: [slow] },
      [`ticket 3 d/6 h at 1x: one failure alone is above the threshold below 1,000 events in the window; ${advice}`],
    ],
    [
      'one failure below the minimum of events',
      { ...alone, alerts: [slow], minimumEvents: 999 },
      [`ticket 3 d/6 h at 1x: one failure alone is above the threshold below 1,000 events in the window; ${advice}`],
    ],
    ['no failure at the minimum of events', { ...alone, alerts: [slow], minimumEvents: 1000 }, []],
    [
      'one failure in a quiet hour',
      { eventsPerMinute: 0.2, alerts: [slow] },
      [
        'ticket 3 d/6 h at 1x: a quiet hour has 864 events in 3 d: one failure fires it; write minimumEvents: 1000, widen the ' +
          'window, or join objectives',
      ],
    ],
    ['no failure in an hour just busy enough', { eventsPerMinute: 1000 / 4320, alerts: [slow] }, []],
    [
      'a minimum that a quiet hour does not reach',
      { eventsPerMinute: 0.2, minimumEvents: 1000, alerts: [slow] },
      ['ticket 3 d/6 h at 1x: minimumEvents 1000 silences it in a quiet hour, which has 864 events'],
    ],
    [
      'both of a quiet hour',
      { eventsPerMinute: 0.2, minimumEvents: 900, alerts: [slow] },
      [
        'ticket 3 d/6 h at 1x: a quiet hour has 864 events in 3 d: one failure fires it; write minimumEvents: 1000, widen the ' +
          'window, or join objectives',
        'ticket 3 d/6 h at 1x: minimumEvents 900 silences it in a quiet hour, which has 864 events',
      ],
    ],
    ['a minimum that a quiet hour just reaches', { eventsPerMinute: 1, minimumEvents: 4320, alerts: [slow] }, []],
    ['a short window of half the long one', { alerts: [{ ...slow, tenthsMs: 36 * hour }] }, []],
    [
      'a short window of more than half the long one',
      { alerts: [slow, { ...slow, tenthsMs: 36 * hour + 1 }] },
      ['3 d/1 d 12 h: the short window hardly ends the alert sooner; usual is 1/12'],
    ],
  ])('finds %s', (_, changed, messages) => {
    const { findings } = checkServiceLevel({ ...base, ...changed });
    expect(findings.map(({ message }) => message)).toEqual(messages);
  });

  it('names the objective of a finding, and none for that of a window', () => {
    const objectives = [base.objectives[0]!, { ...base.objectives[0]!, name: 'other' }];
    const inside = { ...slow, burn: 0.5, tenthsMs: 71 * hour };
    const of = (level: ServiceLevel) => checkServiceLevel(level).findings.map(({ objective }) => objective);
    expect(of({ ...base, objectives, alerts: [inside] })).toEqual(['availability', 'other', undefined]);
    expect(of({ ...base, objectives, alerts: [page] })).toEqual(['availability', 'other']);
    expect(of({ ...base, objectives, alerts: [] })).toEqual(['availability', 'other']);
  });

  it('knows an alert that can never fire, where nobody refused it', () => {
    const objectives = [{ ...base.objectives[0]!, target: 0.9 }];
    const { alerts, findings } = checkServiceLevel({ ...base, objectives, alerts: [page, slow] });
    expect(alerts.map(({ reachable }) => reachable)).toEqual([false, true]);
    expect(findings).toEqual([
      { objective: 'availability', message: 'page 1 h/5 m at 14.4x: can never fire: the burn is at most 10' },
    ]);
  });
});
