import type { RoutingDocument } from '../../admin/routing-document.ts';
import { count } from '../../format.ts';
import { fitTable } from '../terminal/fit-table.ts';
import type { Paint } from '../terminal/paint.ts';

/** Which backend writes transcripts, and how each does, for a terminal. */
export function routingText(document: RoutingDocument, paint: Paint, columns?: number): string {
  const { policy, gateways, spend_per_hour, backends, rules, fallbacks } = document;
  const of = gateways > 1 ? `, at ${count(gateways, 'gateway')}` : '';
  const head = ['backend', 'kind', 'sessions', 'most', 'breaker', 'spent', 'cap', 'takes sessions'];
  const rows = backends.map((one) => [
    one.name,
    one.kind,
    String(one.sessions),
    one.max_sessions === null ? 'none' : String(one.max_sessions),
    one.breaker?.state ?? '-',
    one.spent_last_hour === null ? '-' : money(one.spent_last_hour),
    one.most_per_hour === null ? 'none' : money(one.most_per_hour),
    one.hindrance === null ? 'yes' : `no: ${one.hindrance}`,
  ]);
  const left = ['backend', 'kind', 'breaker', 'takes sessions'];
  const table = fitTable(head, rows, { columns, left, spare: ['kind', 'most', 'cap'] });
  const broken = backends.flatMap(({ name, breaker }) =>
    breaker && breaker.state !== 'closed' && breaker.why !== null ? [`${paint.bad(name)}  ${breaker.why}`] : [],
  );
  const decided = rules.map(({ rule, sessions }) => `${rule} ${sessions}`).join(', ');
  const failed = fallbacks.map(({ backend, class: why, count: times }) => `${backend} ${why} ${times}`).join(', ');
  return [
    paint.bold(`policy ${policy}${of}; managed backends cost ${money(spend_per_hour)} an hour now`),
    table,
    ...broken,
    `sessions by rule  ${decided}`,
    ...(failed === '' ? [] : [`failed within sessions  ${failed}`]),
    '',
  ].join('\n');
}

function money(dollars: number): string {
  return `$${dollars.toFixed(2)}`;
}
