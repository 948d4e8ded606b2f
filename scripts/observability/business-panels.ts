import { on, type Row, rate } from './panel.ts';

/** Who uses the service, and who is refused. */
export const tenants: Row = {
  title: 'Who uses it',
  panels: [
    {
      kind: 'series',
      title: 'Sessions by tenant',
      description: 'The first twenty of the tenants file by name, the rest together as "other".',
      unit: 'short',
      stacked: true,
      queries: { '{{tenant}}': `sum by (tenant) (speechfb_tenant_sessions${on})` },
    },
    {
      kind: 'series',
      title: 'Minutes of sound a minute, by tenant',
      description: 'As many as learners who speak without a pause. What a bill is made of.',
      unit: 'short',
      stacked: true,
      queries: { '{{tenant}}': rate('speechfb_tenant_audio_seconds_total', 'tenant') },
    },
    {
      kind: 'series',
      title: 'Refused to tenants',
      description:
        'A second, by tenant and code. quota_exceeded and too_many_sessions are caps of theirs; server_busy is ours.',
      unit: 'short',
      queries: { '{{tenant}} {{code}}': rate('speechfb_tenant_refusals_total', 'tenant, code') },
    },
    {
      kind: 'series',
      title: 'Share of the largest tenant',
      description: 'Of all sessions. Near 1 while others are refused: one tenant has the whole service.',
      unit: 'percentunit',
      queries: {
        share: `max(sum by (tenant) (speechfb_tenant_sessions${on})) / (sum(speechfb_tenant_sessions${on}) > 0)`,
      },
    },
  ],
};

/** What backends that others run cost. */
export const spending: Row = {
  title: 'What it costs',
  panels: [
    {
      kind: 'stat',
      title: 'Dollars an hour now',
      description: 'What the sessions at managed backends cost an hour at this moment.',
      unit: 'currencyUSD',
      queries: { now: `sum(speechfb_routing_spend_dollars_per_hour${on})` },
    },
    {
      kind: 'series',
      title: 'Spent of what a backend may cost',
      description: 'In the last hour, of its hourly budget. At 1 it takes no session more.',
      unit: 'percentunit',
      queries: {
        '{{backend}}': `sum by (backend) (speechfb_backend_spent_dollars${on}) / sum by (backend) (speechfb_backend_most_dollars${on})`,
      },
    },
    {
      kind: 'series',
      title: 'Minutes of sound a minute, by backend',
      description: 'What two have heard after a fallback counts twice, as it does on the bills.',
      unit: 'short',
      stacked: true,
      queries: { '{{backend}}': rate('speechfb_backend_audio_seconds_total', 'backend') },
    },
    {
      kind: 'series',
      title: 'The same by tenant and lane',
      description: 'Whose sound goes to backends.',
      unit: 'short',
      stacked: true,
      queries: { '{{tenant}} {{lane}}': rate('speechfb_backend_audio_seconds_total', 'tenant, lane') },
    },
  ],
};

/** Where sessions go, and what keeps them from there. */
export const routes: Row = {
  title: 'Where transcripts come from',
  panels: [
    {
      kind: 'series',
      title: 'Sessions by backend',
      description: 'A canary of the routing policy is a backend among these.',
      unit: 'short',
      stacked: true,
      queries: { '{{backend}}': `sum by (backend) (speechfb_routed_sessions${on})` },
    },
    {
      kind: 'series',
      title: 'Sessions by the rule that decided',
      description: 'A second.',
      unit: 'short',
      queries: { '{{rule}}': rate('speechfb_route_decisions_total', 'rule') },
    },
    {
      kind: 'series',
      title: 'Fallbacks',
      description:
        'Backends that failed within a session, a second: rate, budget, auth are ours to mend, fault is theirs.',
      unit: 'short',
      queries: { '{{backend}} {{class}}': rate('speechfb_fallbacks_total', 'backend, class') },
    },
    {
      kind: 'series',
      title: 'Circuit breakers',
      description: '0 closed, 1 half open, 2 open: the backend is left alone.',
      unit: 'short',
      queries: { '{{backend}} {{instance}}': `speechfb_backend_breaker${on}` },
    },
  ],
};

/** How the policy changes, and what its canary does. */
export const policy: Row = {
  title: 'The canary of the routing policy',
  panels: [
    {
      kind: 'series',
      title: 'How fast each side burns',
      description: 'Times the error budget over the window. Above its limit (2 as a rule) the canary is rolled back.',
      unit: 'short',
      queries: { '{{canary}} {{variant}}': `max by (canary, variant) (speechfb_canary_burn${on})` },
    },
    {
      kind: 'series',
      title: 'Bad utterances of each side',
      description: 'A second, by what was bad: late, wrong, missing, or written elsewhere in the end.',
      unit: 'short',
      queries: {
        '{{variant}} {{outcome}}': rate(
          'speechfb_canary_utterances_total',
          'variant, outcome',
          'instance=~"$instance",outcome!="good"',
        ),
      },
    },
    {
      kind: 'series',
      title: 'Sessions of each side',
      description: 'A second. Those that their backend had no room for are of neither.',
      unit: 'short',
      queries: { '{{canary}} {{variant}}': rate('speechfb_canary_sessions_total', 'canary, variant') },
    },
    {
      kind: 'stat',
      title: 'Canaries rolled back',
      description: 'By themselves, in the last day; speechfb admin audit says why.',
      unit: 'short',
      queries: { '{{canary}}': `sum by (canary) (increase(speechfb_canary_rollbacks_total${on}[1d]))` },
    },
    {
      kind: 'series',
      title: 'Age of what the source of the policy said',
      description:
        'Seconds since its file or its server of flags last said what can be used. The last good policy stays.',
      unit: 's',
      queries: { '{{instance}}': `speechfb_policy_source_age_seconds${on}` },
    },
    {
      kind: 'series',
      title: 'Policies that could not be taken',
      description: 'A second: unreachable (server of flags), refused (not sound), unaudited (cannot be written down).',
      unit: 'short',
      queries: { '{{why}}': rate('speechfb_policy_source_failures_total', 'why') },
    },
  ],
};

/** A metric of an instance with the version that runs there. */
const byVersion = (expr: string): string =>
  `${expr} * on (instance) group_left (version) max by (instance, version) (speechfb_build_info${on})`;

const feedback = 'instance=~"$instance",type="phoneme_feedback"';

/** One version beside the other while both serve. */
export const versions: Row = {
  title: 'Version beside version',
  panels: [
    {
      kind: 'series',
      title: 'Sessions by version',
      description: 'The share that a canary has. A session keeps its version.',
      unit: 'short',
      stacked: true,
      queries: { '{{version}}': `sum by (version) (${byVersion(`sum by (instance) (speechfb_sessions${on})`)})` },
    },
    {
      kind: 'series',
      title: 'Feedback p95 by version',
      description:
        'Judge a canary by speechfb canary, which knows when there is too little to tell: a p95 of few sessions is noise.',
      unit: 's',
      queries: {
        '{{version}}': `histogram_quantile(0.95, sum by (le, version) (${byVersion(`sum by (instance, le) (rate(speechfb_feedback_seconds_bucket{${feedback}}[$__rate_interval]))`)}))`,
      },
    },
    {
      kind: 'series',
      title: 'Errors by version',
      description: 'Errors told to clients, of all events to them.',
      unit: 'percentunit',
      queries: {
        '{{version}}': `sum by (version) (${byVersion(`sum by (instance) (rate(speechfb_refusals_total${on}[$__rate_interval]))`)}) / sum by (version) (${byVersion(`sum by (instance) (rate(speechfb_events_total${on}[$__rate_interval]))`)})`,
      },
    },
    {
      kind: 'series',
      title: 'Processor a session, by version',
      description: 'Cores. A version that needs more carries fewer learners.',
      unit: 'short',
      queries: {
        '{{version}}': `sum by (version) (${byVersion(`sum by (instance) (rate(process_cpu_seconds_total${on}[$__rate_interval]))`)}) / (sum by (version) (${byVersion(`sum by (instance) (speechfb_sessions${on})`)}) > 0)`,
      },
    },
  ],
};
