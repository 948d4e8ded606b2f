import { on, type Row, rate } from './panel.ts';

/** Scored later: what could not be finished live. */
export const later: Row = {
  title: 'What is scored later',
  panels: [
    {
      kind: 'series',
      title: 'Utterances that wait',
      description:
        'To be handed over, and to be scored later in the same process. What rises and does not fall is lost one day.',
      unit: 'short',
      queries: {
        'to be handed over, {{instance}}': `speechfb_handoff_waiting${on}`,
        'to be scored, {{instance}}': `speechfb_late_waiting${on}`,
      },
    },
    {
      kind: 'series',
      title: 'Sound that waits',
      description: 'Memory that the utterances of the panel before take.',
      unit: 'bytes',
      queries: {
        'to be handed over, {{instance}}': `speechfb_handoff_waiting_bytes${on}`,
        'to be scored, {{instance}}': `speechfb_late_waiting_bytes${on}`,
      },
    },
    {
      kind: 'series',
      title: 'What became of utterances that were handed over',
      description: 'A second, by outcome.',
      unit: 'short',
      queries: {
        'handed over: {{outcome}}': rate('speechfb_handoff_utterances_total', 'outcome'),
        'scored here: {{outcome}}': rate('speechfb_late_utterances_total', 'outcome'),
      },
    },
    {
      kind: 'series',
      title: 'Late results: sessions that have some, and that lost theirs',
      description: 'Kept until their learners ask; the lost made room for others, in the last hour.',
      unit: 'short',
      queries: {
        'kept {{instance}}': `speechfb_late_results_sessions${on}`,
        'lost {{instance}}': `increase(speechfb_late_results_dropped_total${on}[1h])`,
      },
    },
  ],
};

/** Others' services, and the other role. */
export const others: Row = {
  title: 'The store, and the nodes',
  panels: [
    {
      kind: 'series',
      title: 'The store answers',
      description: '1 is yes. While it does not, a session that loses its gateway begins anew.',
      unit: 'short',
      queries: { '{{instance}}': `speechfb_store_up${on}` },
    },
    {
      kind: 'series',
      title: 'Calls to the store that failed',
      description: 'A second, by why.',
      unit: 'short',
      queries: { '{{why}}': rate('speechfb_store_failures_total', 'why') },
    },
    {
      kind: 'series',
      title: 'Connections that nodes refused',
      description: 'A second, by why: a certificate of somebody else, or more gateways than a node takes.',
      unit: 'short',
      queries: { '{{why}}': rate('speechfb_node_connections_refused_total', 'why') },
    },
    {
      kind: 'series',
      title: 'Sessions at nodes of --spill-node',
      description: 'A second: all other nodes had refused.',
      unit: 'short',
      queries: { spilled: `sum(rate(speechfb_leases_spilled_total${on}[$__rate_interval]))` },
    },
  ],
};
