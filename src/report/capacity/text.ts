import type { CapacityDetails, CapacityResult } from '../../capacity/plan/result.ts';
import { count, dollars, figure, formatMs, percent, whole } from '../../format.ts';
import { folded } from '../terminal/fold.ts';
import type { Paint } from '../terminal/paint.ts';
import { renderTimeline } from './timeline.ts';

/**
 * The whole answer for a reader: sizes, money, what the linear rule hides, the simulated run, the
 * verdicts.
 */
export function renderCapacity(result: CapacityResult, paint: Paint, nowMs: number, columns = 100): string {
  const { details, simulation } = result;
  const sections = [
    [paint.bold(`${details.name}: the linear rule`), ...rows(linearRule(result, nowMs))],
    [
      paint.bold('what it hides'),
      folded(details.notes.map((note) => `  - ${note}`).join('\n'), Math.min(100, columns)),
    ],
    money(result, paint),
    batch(details, paint),
    batchSize(details, paint),
    [
      paint.bold(`simulated: ${whole(simulation.streams)} turns of speech, seed ${simulation.seed}`),
      ...rows(simulated(result)),
      '',
      renderTimeline(simulation.timeline, simulation.duration_ms, columns),
    ],
    verdicts(result, paint),
  ];
  return `${sections
    .filter((section) => section.length > 0)
    .map((section) => section.join('\n'))
    .join('\n\n')}\n`;
}

type Row = [label: string, value: string, remark?: string];

function linearRule(result: CapacityResult, nowMs: number): Row[] {
  const { ingress_bytes_per_second, concurrency, pods, cost, details } = result;
  const { concurrency: spread, streams_per_pod, prices_as_of } = details;
  const lines: Row[] = [
    ['ingress', `${whole(ingress_bytes_per_second)} B/s`, `${whole(details.codec.bytes_per_stream)} B/s a stream`],
    [
      'streams',
      `${whole(concurrency.mean)} mean`,
      `p95 ${whole(spread.p95)}, p99 ${whole(spread.p99)}, p99.9 ${whole(spread.p999)}`,
    ],
    [
      'pods',
      whole(pods.minimum),
      `${count(streams_per_pod.value, 'stream')} each${streams_per_pod.by_curve ? ', by the measured curve' : ''}`,
    ],
    ['pods with headroom', whole(pods.with_headroom)],
    ['pods against blocking', whole(pods.blocking), `binomial; Erlang B ${whole(details.pods.erlangB)}`],
  ];
  if (details.pods.spot_for_minimum !== null)
    lines.push(['spot pods to run', whole(details.pods.spot_for_minimum), 'so that enough are up']);
  const price = (label: string, value: number | null, remark?: string) => {
    if (value !== null) lines.push([label, `${dollars(value)}/min`, ...(remark ? [remark] : [])] as Row);
  };
  price('managed', cost.managed_per_minute);
  price('self-hosted', cost.self_hosted_per_minute);
  price('blended', cost.blended_per_minute, priceDate(prices_as_of, nowMs));
  return lines;
}

/** Prices of another quarter are worth a look before a decision. */
function priceDate(day: string | null, nowMs: number): string {
  if (day === null) return 'prices without a date';
  const days = Math.floor((nowMs - Date.parse(day)) / 86_400_000);
  return days > 90 ? `prices of ${day}, ${days} days old: check them` : `prices of ${day}`;
}

function money({ details }: CapacityResult, paint: Paint): string[] {
  const { fleet_hour: fleet, break_even_utilisation, tornado } = details;
  const lines: Row[] = [];
  if (fleet) {
    lines.push(['fleet', `${dollars(fleet.perHour)}/h`, `the pods with headroom, overhead included`]);
    lines.push(['  served', `${dollars(fleet.servedPerHour)}/h`, `${dollars(fleet.perServedMinute)} an audio minute`]);
    lines.push(['  idle', `${dollars(fleet.idlePerHour)}/h`, `${percent(fleet.idleShare)} of it`]);
  }
  if (break_even_utilisation !== null)
    lines.push(['break-even', percent(break_even_utilisation), breakEven(break_even_utilisation)]);
  if (lines.length === 0) return [];
  const widest = tornado[0]?.swing ?? 0;
  const bars = tornado.map(({ input, at_low, at_high, swing }) => {
    const bar = '█'.repeat(Math.max(1, Math.round((20 * swing) / widest))).padEnd(20);
    return `  ${input.padEnd(28)}${bar} ${dollars(Math.min(at_low, at_high))} to ${dollars(Math.max(at_low, at_high))}`;
  });
  const heading = bars.length > 0 ? ['', '  blended $/min when one input is off by the swing:', ...bars] : [];
  return [paint.bold('money'), ...rows(lines), ...heading];
}

function breakEven(utilisation: number): string {
  return utilisation > 1 ? 'managed is cheaper even than full pods' : 'utilisation above which own pods beat managed';
}

function batch({ batch: answer }: CapacityDetails, paint: Paint): string[] {
  if (!answer) return [];
  const mean = answer.mean_wait_by === 'kingman' ? 'Kingman' : 'Allen-Cunneen';
  return [
    paint.bold('batch queue'),
    ...rows([
      [
        'workers',
        whole(answer.workers),
        `${whole(answer.workers_needed)} keep the wait; ${percent(answer.utilisation)} busy`,
      ],
      [
        'wait',
        formatMs(answer.wait_quantile_ms ?? Number.POSITIVE_INFINITY),
        `Erlang C; ${percent(answer.waiting_share)} of jobs wait`,
      ],
      ['mean wait', formatMs(answer.mean_wait_ms ?? Number.POSITIVE_INFINITY), mean],
    ]),
  ];
}

function batchSize({ batch_size: choice }: CapacityDetails, paint: Paint): string[] {
  if (!choice) return [];
  const lines = choice.options.map((option): Row => {
    const mark = option === choice.best ? 'chosen' : option.keepsDeadline ? '' : 'too late';
    return [
      `  batch ${option.batch}`,
      `${whole(option.streams)} streams`,
      `${formatMs(option.latencyMs)} ${mark}`.trimEnd(),
    ];
  });
  const none = choice.best ? [] : ['  no measured batch keeps the deadline'];
  return [paint.bold('batch size'), ...rows(lines), ...none];
}

function simulated({ simulation }: CapacityResult): Row[] {
  const { cost, pod_hours } = simulation;
  const lines: Row[] = [
    [
      'degraded',
      count(simulation.degraded_stream_minutes, 'stream-minute'),
      `${percent(simulation.degraded_share)} of speech; ${whole(simulation.never_served)} turns never served`,
    ],
    [
      'wait',
      `p95 ${formatMs(simulation.p95_wait_ms ?? Number.POSITIVE_INFINITY)}`,
      `p99 ${formatMs(simulation.p99_wait_ms ?? Number.POSITIVE_INFINITY)}`,
    ],
    [
      'peak',
      `${whole(simulation.peak_streams)} streams`,
      `${whole(simulation.peak_waiting)} waiting, ${whole(simulation.peak_pods)} pods`,
    ],
    [
      'served',
      `${percent(simulation.self_hosted_share)} self-hosted`,
      `${whole(simulation.self_hosted_minutes)} + ${whole(simulation.managed_minutes)} managed minutes`,
    ],
  ];
  if (simulation.spot_pods_lost > 0)
    lines.push([
      'spot pods lost',
      whole(simulation.spot_pods_lost),
      `${whole(simulation.moved_streams)} streams had to move`,
    ]);
  if (cost.total !== null)
    lines.push([
      'cost',
      dollars(cost.total),
      `${whole(pod_hours.on_demand + pod_hours.spot)} pod hours, ${percent(cost.idle_share)} idle; ${cost.per_served_minute === null ? 'nothing served' : `${dollars(cost.per_served_minute)} a served minute`}`,
    ]);
  if (simulation.regions.length > 1)
    for (const { name, peak_pods, degraded_stream_minutes } of simulation.regions)
      lines.push([
        `  ${name}`,
        `${whole(peak_pods)} pods at most`,
        `${whole(degraded_stream_minutes)} stream-minutes degraded`,
      ]);
  return lines;
}

function verdicts({ assertions, verdict }: CapacityResult, paint: Paint): string[] {
  if (verdict === 'none') return ['nothing was asserted'];
  const lines = assertions.map(({ expression, value, verdict }) => {
    const shown = value === null ? 'never' : figure(value);
    return verdict === 'pass'
      ? paint.good(`  ✓ ${expression}  (${shown})`)
      : paint.bad(`  ✗ ${expression}  (${shown})`);
  });
  return [paint.bold(`verdict: ${verdict}`), ...lines];
}

function rows(lines: readonly Row[]): string[] {
  return lines.map(([label, value, remark = '']) => `  ${label.padEnd(24)}${value.padEnd(24)}${remark}`.trimEnd());
}
