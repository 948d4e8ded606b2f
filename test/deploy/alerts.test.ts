import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type MetricSources, Metrics } from '../../src/telemetry/metrics.ts';
import { shippedRules } from '../kit/alert-rules.ts';
import { businessMetrics } from '../kit/business-metrics.ts';
import { temporaryDirectory } from '../kit/temporary-directory.ts';

/**
 * Every alert over series as the servers expose them, from before the first event: their names and
 * labels are read from an exposition, so that a test cannot raise an alert by what no server shows.
 */
const hasPromtool = spawnSync('promtool', ['--version']).status === 0;
if (!hasPromtool) console.warn('SKIPPED: no alert was raised: there is no promtool');

type Server = 'plain' | 'gateway' | 'node' | 'policy';
/** What a series does, as promtool writes values, a minute each. */
type Change = readonly [series: string, values: string];
type Raised = {
  alert: string;
  at: Server;
  changes: readonly Change[];
  /** Minutes at which the alert fires, and at which it no longer does. */
  fires: number;
  over: number;
};

const raised: readonly Raised[] = [
  {
    alert: 'SpeechfbNoNode',
    at: 'gateway',
    changes: [
      ['speechfb_trunks ', '2x5 0x20 2x60'],
      ['speechfb_slots ', '200x5 0x20 200x60'],
    ],
    fires: 10,
    over: 30,
  },
  {
    alert: 'SpeechfbSlotsNearlyAllUsed',
    at: 'gateway',
    changes: [['speechfb_slots_free ', '80x5 10x20 80x60']],
    fires: 20,
    over: 30,
  },
  {
    alert: 'SpeechfbSendsAway',
    at: 'gateway',
    changes: [['speechfb_sent_away_total{lane="live"}', '0x5 1+1x15 16x60']],
    fires: 14,
    over: 30,
  },
  {
    alert: 'SpeechfbDegraded',
    at: 'gateway',
    changes: [['speechfb_degradation_level ', '0x5 3x20 1x60']],
    fires: 20,
    over: 30,
  },
  {
    alert: 'SpeechfbModelRestarts',
    at: 'node',
    changes: [['speechfb_engine_restarts ', '0x5 1x5 2x80']],
    fires: 20,
    over: 50,
  },
  {
    alert: 'SpeechfbDeviceLost',
    at: 'node',
    // Until somebody starts it anew.
    changes: [['speechfb_engine_fallbacks_total ', '0x5 1x40 0x60']],
    fires: 40,
    over: 50,
  },
  {
    alert: 'SpeechfbPolicySourceGone',
    at: 'policy',
    changes: [['speechfb_policy_source_age_seconds ', '2x5 0+60x20 2x60']],
    fires: 15,
    over: 30,
  },
  {
    alert: 'SpeechfbCanaryRolledBack',
    at: 'policy',
    changes: [['speechfb_canary_rollbacks_total{canary="nova"}', '0x10 1x100']],
    fires: 15,
    over: 75,
  },
  {
    alert: 'FeedbackLatencyBudgetBurn',
    at: 'plain',
    // An hour in which all is in time, one in which nothing is, and silence.
    changes: [
      ['speechfb_feedback_seconds_count{type="phoneme_feedback"}', '0+100x120 12000x420'],
      [`speechfb_feedback_seconds_bucket{le="0.1",type="phoneme_feedback"}`, '0+100x60 6000x480'],
    ],
    fires: 115,
    over: 520,
  },
  {
    alert: 'SessionSuccessBudgetBurn',
    at: 'plain',
    changes: [
      ['speechfb_messages_total{kind="start"}', '0+100x120 12000x420'],
      ['speechfb_refusals_total{code="server_busy"}', '0x60 0+90x60 5400x420'],
    ],
    fires: 115,
    over: 520,
  },
  ...['FeedbackLatency', 'SessionSuccess'].map(
    (objective): Raised => ({
      alert: `${objective}NoData`,
      at: 'plain',
      // Nobody scrapes it, and then somebody does.
      changes: [
        ['speechfb_feedback_seconds_count{type="phoneme_feedback"}', '_x40 0x60'],
        ['speechfb_messages_total{kind="start"}', '_x40 0x60'],
      ],
      fires: 30,
      over: 60,
    }),
  ),
];

it('every alert is raised here', () => {
  const shipped = shippedRules().flatMap(({ alert }) => alert ?? []);
  expect(new Set(raised.map(({ alert }) => alert))).toEqual(new Set(shipped));
});

describe.skipIf(!hasPromtool)('alerts over series as servers have them', () => {
  it('none fires for servers that nobody has used yet, of any role', async () => {
    const series = (
      await Promise.all((['plain', 'gateway', 'node', 'policy'] as const).map((server) => seriesOf(server, 90)))
    ).flat();
    const alerts = new Set(raised.map(({ alert }) => alert));
    expect(
      judge(
        series,
        [...alerts].map((alert) => ({ alert, minute: 90, fires: false })),
      ),
    ).toBe('');
  });

  it.each(raised)('$alert fires, and is over when its cause is', async ({ at, alert, changes, fires, over }) => {
    const before = await seriesOf(at, over);
    const names = changes.map(([name]) => name.trim());
    expect(before.map(({ name }) => name)).toEqual(expect.arrayContaining(names));
    const changed = new Map(changes.map(([name, values]) => [name.trim(), values]));
    const series = before.map((one) => ({ ...one, values: changed.get(one.name) ?? one.values }));
    expect(
      judge(series, [
        { alert, minute: fires, fires: true },
        { alert, minute: over, fires: false },
      ]),
    ).toBe('');
  });
});

type Series = { name: string; instance: string; values: string };
type Expected = { alert: string; minute: number; fires: boolean };

/** What promtool has against it: nothing, where each alert fires, or does not, at its minute. */
function judge(series: readonly Series[], expected: readonly Expected[]): string {
  const file = join(temporaryDirectory(), 'alerts.test.json');
  const written = {
    rule_files: ['deploy/observability/service.rules.yaml', 'slo/live-feedback.rules.yaml'].map((path) =>
      resolve(path),
    ),
    // Hours of rules take seconds.
    evaluation_interval: expected.some(({ minute }) => minute > 120) ? '5m' : '1m',
    tests: [
      {
        interval: '1m',
        input_series: series.map(({ name, instance, values }) => ({ series: labelled(name, instance), values })),
        promql_expr_test: expected.map(({ alert, minute, fires }) => ({
          expr: `count by (alertname) (ALERTS{alertname="${alert}",alertstate="firing"}) > bool 0`,
          eval_time: `${minute}m`,
          exp_samples: fires ? [{ labels: `{alertname="${alert}"}`, value: 1 }] : [],
        })),
      },
    ],
  };
  writeFileSync(file, JSON.stringify(written));
  const { status, stdout, stderr } = spawnSync('promtool', ['test', 'rules', file], { encoding: 'utf8' });
  return status === 0 ? '' : `${stdout}${stderr}`;
}

/** The series of a server that somebody scrapes and nobody uses, each as it stays. */
async function seriesOf(server: Server, minutes: number): Promise<Series[]> {
  const text = server === 'policy' ? await businessMetrics(0) : (await new Metrics(sources(server)).expose()).body;
  const asked = shippedRules().map(({ expr }) => expr);
  return [...text.matchAll(/^(speechfb_\w+)(\{[^}]*\})? (\S+)$/gm)]
    .filter(([, name]) => asked.some((expr) => expr.includes(name!)))
    .map(([, name, labels = '', value]) => ({ name: name! + labels, instance: server, values: `${value}x${minutes}` }));
}

function sources(server: 'plain' | 'gateway' | 'node'): MetricSources {
  const engine = { provider: 'cpu', queueDepth: 0, meanBatch: 0, busy: 0, stepP95Ms: 0, restarts: 0 };
  return {
    version: '1.0.0',
    sessions: () => ({ streaming: 0 }),
    engine: () => (server === 'gateway' ? undefined : engine),
    overload: () => ({ level: 0, standingMs: 0, sessionLimit: 100 }),
    slots: () => (server === 'plain' ? undefined : { slots: 200, free: 80, trunks: 2, refused: 0 }),
  };
}

function labelled(name: string, instance: string): string {
  const [, metric, labels = ''] = /^(\w+)(?:\{(.*)\})?$/.exec(name)!;
  return `${metric}{${[`instance="${instance}"`, ...(labels === '' ? [] : [labels])].join(',')}}`;
}
