import { policy, routes, spending, tenants, versions } from './business-panels.ts';
import { later, others } from './dependency-panels.ts';
import { on, type Row, rate } from './panel.ts';

const feedback = 'instance=~"$instance",type="phoneme_feedback"';

function quantile(q: number, histogram: string, matchers: string, by: string): string {
  return `histogram_quantile(${q}, sum by (${by}) (rate(${histogram}_bucket{${matchers}}[$__rate_interval])))`;
}

const percentiles = Object.fromEntries(
  [0.5, 0.95, 0.99].map((q) => [`p${q * 100}`, quantile(q, 'speechfb_feedback_seconds', feedback, 'le')]),
);

/** The service levels of slo/live-feedback.yaml: what learners were promised, and what is left. */
const promises: Row = {
  title: 'What was promised',
  panels: [
    {
      kind: 'stat',
      title: 'Budget left',
      description: 'The part of the 30 days that may still be bad, by objective. Below 0 the promise is broken.',
      unit: 'percentunit',
      queries: { '{{objective}}': 'slo:budget_left:ratio30d{slo="live-feedback"}' },
    },
    {
      kind: 'stat',
      title: 'Feedback p95',
      description: 'From the socket read of a sound to the socket write of its feedback. The network is not in it.',
      unit: 's',
      queries: { p95: percentiles.p95! },
    },
    {
      kind: 'stat',
      title: 'Learners now',
      description: 'Sessions that stream.',
      unit: 'short',
      queries: { sessions: `sum(speechfb_sessions{instance=~"$instance",state="streaming"})` },
    },
    {
      kind: 'stat',
      title: 'Alerts',
      description: 'Alerts of speechfb that fire now. Each links to its runbook.',
      unit: 'short',
      queries: { '{{alertname}}': 'sum by (alertname) (ALERTS{service="speechfb",alertstate="firing"})' },
    },
    {
      kind: 'series',
      title: 'Bad events, of all',
      description: 'Over 1 h: what the fast page looks at. It pages at 14.4 times what the promise can bear.',
      unit: 'percentunit',
      queries: { '{{objective}}': 'slo:bad_events:ratio_rate1h{slo="live-feedback"}' },
    },
    {
      kind: 'series',
      title: 'Refused, by code',
      description: 'Errors told to clients a second. server_busy is the server protecting those inside.',
      unit: 'short',
      queries: { '{{code}}': rate('speechfb_refusals_total', 'code') },
    },
  ],
};

const work: Row = {
  title: 'What goes through',
  panels: [
    {
      kind: 'series',
      title: 'Events to learners a second',
      description: 'By type. Feedback comes ten times a second while one speaks.',
      unit: 'short',
      queries: { '{{type}}': rate('speechfb_events_total', 'type') },
    },
    {
      kind: 'series',
      title: 'Frames by what became of them',
      description: 'Duplicates and late frames are bad networks; lost ones are sound that was never scored.',
      unit: 'short',
      queries: {
        '{{outcome}}': rate('speechfb_frames_total', 'outcome'),
        lost: `sum(rate(speechfb_lost_frames_total${on}[$__rate_interval]))`,
      },
    },
    {
      kind: 'series',
      title: 'Sessions taken up again',
      description: 'Resumes a second. A peak over all instances is a network; over one, a dead gateway.',
      unit: 'short',
      queries: { '{{instance}}': rate('speechfb_resumes_total', 'instance') },
    },
    {
      kind: 'series',
      title: 'Refused before a WebSocket',
      description: 'By why: no token, no room, wrong host.',
      unit: 'short',
      queries: { '{{reason}}': rate('speechfb_refused_requests_total', 'reason') },
    },
  ],
};

const whole: Row = {
  title: 'How late feedback is',
  panels: [
    {
      kind: 'series',
      title: 'Feedback',
      description: 'Percentiles from socket read to socket write.',
      unit: 's',
      queries: percentiles,
    },
    {
      kind: 'series',
      title: 'Where the mean goes',
      description: 'Means add up, percentiles do not: the stack is the mean of all stages.',
      unit: 's',
      stacked: true,
      queries: {
        '{{stage}}':
          `sum by (stage) (rate(speechfb_stage_seconds_sum${on}[$__rate_interval])) / ` +
          `sum by (stage) (rate(speechfb_stage_seconds_count${on}[$__rate_interval]))`,
      },
    },
    {
      kind: 'series',
      title: 'Each stage at p95',
      description: 'For comparing a stage with itself; speechfb budget decomposes the p95 of the whole.',
      unit: 's',
      queries: { '{{stage}}': quantile(0.95, 'speechfb_stage_seconds', 'instance=~"$instance"', 'le, stage') },
    },
    {
      kind: 'series',
      title: 'Standing delay',
      description: 'How late feedback has stood for a second: what overload control goes by.',
      unit: 's',
      queries: { '{{instance}}': `speechfb_standing_delay_seconds${on}` },
    },
  ],
};

const threads: Row = {
  title: 'What makes it late',
  panels: [
    {
      kind: 'series',
      title: 'Busy threads',
      description: 'Shares of a second. Near 1, sound waits.',
      unit: 'percentunit',
      queries: {
        'model {{instance}}': `speechfb_engine_busy_ratio${on}`,
        'scoring {{instance}}': `speechfb_scoring_busy_ratio${on}`,
      },
    },
    {
      kind: 'series',
      title: "The sockets' thread, p99 of its loop",
      description: 'A message waits so long before it is read.',
      unit: 's',
      queries: { '{{instance}}': `nodejs_eventloop_lag_p99_seconds${on}` },
    },
    {
      kind: 'series',
      title: 'A step of the model, and the wait for scoring, p95',
      description: 'From a chunk to its posteriors, and from those to the feedback.',
      unit: 's',
      queries: {
        'model {{instance}}': `speechfb_engine_step_p95_seconds${on}`,
        'scoring {{instance}}': `speechfb_scoring_wait_p95_seconds${on}`,
      },
    },
    {
      kind: 'series',
      title: 'Garbage collection',
      description: 'Share of the time that the process stands still for it.',
      unit: 'percentunit',
      queries: { '{{instance}}': rate('nodejs_gc_duration_seconds_sum', 'instance') },
    },
  ],
};

const places: Row = {
  title: 'Room',
  panels: [
    {
      kind: 'series',
      title: 'Sessions against what the server believes it carries',
      description: 'The limit is learned from how late feedback is.',
      unit: 'short',
      queries: {
        'limit {{instance}}': `speechfb_session_limit${on}`,
        '{{state}} {{instance}}': `sum by (instance, state) (speechfb_sessions${on})`,
      },
    },
    {
      kind: 'series',
      title: 'Slots used, of all',
      description: 'What to scale on: leased slots over slots, over all nodes.',
      unit: 'percentunit',
      queries: { used: `1 - max(speechfb_slots_free${on}) / max(speechfb_slots${on})` },
    },
    {
      kind: 'series',
      title: 'Leases refused, sessions rehoused',
      description: 'A second. Refused leases: nodes are full, or grant what they do not have.',
      unit: 'short',
      queries: {
        refused: `sum(rate(speechfb_leases_refused_total${on}[$__rate_interval]))`,
        'rehoused, {{why}}': rate('speechfb_sessions_rehoused_total', 'why'),
      },
    },
    {
      kind: 'series',
      title: 'Trunks',
      description: 'Nodes that each gateway has found. 0: it can score nothing.',
      unit: 'short',
      queries: { '{{instance}}': `speechfb_trunks${on}` },
    },
  ],
};

const spared: Row = {
  title: 'What learners are spared',
  panels: [
    {
      kind: 'series',
      title: 'Step of degradation',
      description: '0 nothing; 1 larger groups; 2 half the events; 3 and 4 fewer details; 5 the newest are sent away.',
      unit: 'short',
      queries: { '{{instance}}': `speechfb_degradation_level${on}` },
    },
    {
      kind: 'series',
      title: 'Sent away to come back',
      description: 'Sessions a second, by lane.',
      unit: 'short',
      queries: { '{{lane}}': rate('speechfb_sent_away_total', 'lane') },
    },
    {
      kind: 'series',
      title: 'Limits met',
      description: 'Refusals a second by the limit; docs/protocol.md names them.',
      unit: 'short',
      queries: { '{{limit}}': rate('speechfb_limits_met_total', 'limit') },
    },
    {
      kind: 'series',
      title: 'Given up so that others find a place',
      description: 'Sessions without a socket, sockets without a session, a second.',
      unit: 'short',
      queries: { '{{what}}': rate('speechfb_given_up_total', 'what') },
    },
  ],
};

const machine: Row = {
  title: 'The machine',
  panels: [
    {
      kind: 'series',
      title: 'Processor',
      description: 'Cores that each instance uses, all its threads.',
      unit: 'short',
      queries: { '{{instance}}': rate('process_cpu_seconds_total', 'instance') },
    },
    {
      kind: 'series',
      title: 'Memory',
      description: 'Resident.',
      unit: 'bytes',
      queries: { '{{instance}}': `process_resident_memory_bytes${on}` },
    },
    {
      kind: 'series',
      title: 'Model batches',
      description: 'Streams in a run of the model, and chunks that wait for one.',
      unit: 'short',
      queries: {
        'in a run {{instance}}': `speechfb_engine_batch_size${on}`,
        'waiting {{instance}}': `speechfb_engine_queue_depth${on}`,
      },
    },
    {
      kind: 'series',
      title: 'Model thread: restarts, lost devices',
      description: 'In the last hour. The CPU goes on where a device is lost.',
      unit: 'short',
      queries: {
        'restarts {{instance}}': `delta(speechfb_engine_restarts${on}[1h])`,
        'lost devices {{instance}}': `increase(speechfb_engine_fallbacks_total${on}[1h])`,
      },
    },
  ],
};

/** The dashboards in the order in which one asks: is it well, what makes it late, is there room, what fails beside it,
 * whose it is, what it costs, is the new one as good. */
export const rows: readonly { file: string; title: string; rows: readonly Row[] }[] = [
  { file: 'overview', title: 'service levels', rows: [promises, work] },
  { file: 'latency', title: 'latency by stage', rows: [whole, threads] },
  { file: 'capacity', title: 'capacity and slots', rows: [places, spared, machine] },
  { file: 'dependencies', title: 'what it leans on', rows: [later, others] },
  { file: 'tenants', title: 'tenants', rows: [tenants] },
  { file: 'cost', title: 'cost', rows: [spending, routes] },
  { file: 'canary', title: 'canary', rows: [versions, policy] },
];
