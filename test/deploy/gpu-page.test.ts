import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { manifestFault } from '../kit/kubernetes-models.ts';
import { temporaryDirectory } from '../kit/temporary-directory.ts';

const page = readFileSync('docs/gpu.md', 'utf8');
const blocks = [...page.matchAll(/```yaml\n([\s\S]*?)```/g)].map(
  ([, text]) => parse(text!) as Record<string, object[]>,
);
const groups = blocks.find((block) => 'groups' in block)!;
const triggers = blocks.find((block) => 'triggers' in block)!;

const hasPromtool = spawnSync('promtool', ['--version']).status === 0;
if (!hasPromtool) console.warn('SKIPPED: the rules of docs/gpu.md were not run: there is no promtool');

it('promtool is there on CI', () => {
  if (process.env.CI) expect(hasPromtool).toBe(true);
});

const labels = '{gpu="0",Hostname="m1",namespace="speechfb",pod="speechfb-inference-1"}';
const engine = 'speechfb_engine_busy_ratio{namespace="speechfb",pod="speechfb-inference-1"}';
/** Series that stand at a value, and the alerts that they make after twenty minutes. */
const cards: readonly (readonly [string, Record<string, number>, string[]])[] = [
  [
    'that is well',
    { XID_ERRORS: 0, ROW_REMAP_FAILURE: 0, FB_USED: 9000, FB_FREE: 70_000, GPU_UTIL: 40, busy: 0.5 },
    [],
  ],
  ['of whose driver a fault was heard', { XID_ERRORS: 79 }, ['SpeechfbGpuFault']],
  ['whose memory wears out', { ROW_REMAP_FAILURE: 1 }, ['SpeechfbGpuWearsOut']],
  ['that is nearly full', { FB_USED: 75_000, FB_FREE: 5000 }, ['SpeechfbGpuNearlyFull']],
  ['that idles while its pod scores', { GPU_UTIL: 0, busy: 0.5 }, ['SpeechfbGpuIdlePodBusy']],
  ['that idles with its pod', { GPU_UTIL: 0, busy: 0 }, []],
];

describe.skipIf(!hasPromtool)('the rules that docs/gpu.md has for NVIDIA cards', () => {
  it('say of each card what is so, and no more', () => {
    const folder = temporaryDirectory();
    writeFileSync(join(folder, 'rules.yaml'), stringify(groups));
    const alerts = (groups.groups as { rules: { alert: string }[] }[]).flatMap(({ rules }) =>
      rules.map((rule) => rule.alert),
    );
    expect(new Set(cards.flatMap(([, , expected]) => expected))).toEqual(new Set(alerts));
    const tests = cards.map(([name, series, expected]) => ({
      name,
      interval: '1m',
      input_series: Object.entries(series).map(([metric, value]) => ({
        series: metric === 'busy' ? engine : `DCGM_FI_DEV_${metric}${labels}`,
        values: `${value}+0x20`,
      })),
      promql_expr_test: [
        {
          expr: 'count by (alertname) (ALERTS{alertstate="firing"})',
          eval_time: '20m',
          exp_samples: expected.map((alertname) => ({ labels: `{alertname="${alertname}"}`, value: 1 })),
        },
      ],
    }));
    writeFileSync(
      join(folder, 'test.yaml'),
      stringify({ rule_files: ['rules.yaml'], evaluation_interval: '1m', tests }),
    );
    const { status, stdout, stderr } = spawnSync('promtool', ['test', 'rules', 'test.yaml'], {
      cwd: folder,
      encoding: 'utf8',
    });
    expect(`${stdout}${stderr}`).not.toContain('FAILED');
    expect(status).toBe(0);
  });
});

it('has a trigger that KEDA takes', async () => {
  const scaled = {
    apiVersion: 'keda.sh/v1alpha1',
    kind: 'ScaledObject',
    metadata: { name: 'speechfb-inference' },
    spec: { scaleTargetRef: { name: 'speechfb-inference' }, ...triggers },
  };
  expect(await manifestFault(scaled)).toBeUndefined();
});
