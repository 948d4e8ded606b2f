import type { z } from 'zod';
import type {
  AuditDocument,
  DrainDocument,
  drainAnswer,
  reloadAnswer,
  SessionsDocument,
  StatusDocument,
  TenantDocument,
  TenantsDocument,
} from '../../admin/documents.ts';
import { count, durationText } from '../../format.ts';
import { fitTable } from '../terminal/fit-table.ts';
import type { Paint } from '../terminal/paint.ts';

/** Where a server stands, for a terminal. */
export function statusText(status: StatusDocument, paint: Paint, columns?: number): string {
  const { role, version, model, up_ms, drain, audit } = status;
  const what = model ? `${model.name} ${model.version} on ${model.provider}` : 'no model yet';
  const lines = [
    paint.bold(`speechfb ${version}, role ${role}, ${what}, up ${durationText(up_ms)}`),
    status.ready ? `${paint.good('ready')}     takes new sessions` : `${paint.bad('not ready')} ${status.not_ready}`,
    ...openLines(status),
    ...(drain.phase === 'serving' ? [] : [drainLine(drain, paint)]),
    audit
      ? `audit     ${count(audit.seq, 'line')}, head ${audit.seq}:${audit.hash}`
      : 'audit     no log: nothing can be changed',
  ];
  const tables = [gatewayTable(status, columns), nodeTable(status, columns)].filter((table) => table !== '');
  return `${[...lines, ...tables.map((table) => `\n${table}`)].join('\n')}\n`;
}

function openLines({ sessions, lanes, session_limit, ladder_step, sockets, slots }: StatusDocument): string[] {
  const sessionLine = (): string[] => {
    if (!sessions) return [];
    const { streaming, detached, ending } = sessions;
    const limit = session_limit === null ? 'no limit' : `limit ${session_limit}`;
    const lane = lanes ? ` (${lanes.live} live, ${lanes.batch} batch)` : '';
    const spared = ladder_step ? `, spared in step ${ladder_step}` : '';
    return [
      `sessions  ${streaming} streaming${lane}, ${detached} detached, ${ending} ending; ${limit}${spared}`,
      `sockets   ${sockets ?? 0}`,
    ];
  };
  const slotLine = slots
    ? [
        `slots     ${slots.slots - slots.free} of ${slots.slots} taken, ${count(slots.trunks, 'trunk')}, ${slots.refused} refused`,
      ]
    : [];
  return [...sessionLine(), ...slotLine];
}

function gatewayTable({ gateways }: StatusDocument, columns: number | undefined): string {
  if (gateways.length === 0) return '';
  const rows = gateways.map((one) => [
    String(one.gateway),
    one.ready ? 'ready' : (one.not_ready ?? 'not ready'),
    String(one.sessions),
    one.session_limit === null ? 'none' : String(one.session_limit),
    String(one.sockets),
    String(one.ladder_step),
  ]);
  const head = ['gateway', 'state', 'sessions', 'limit', 'sockets', 'step'];
  return fitTable(head, rows, { columns, left: ['gateway', 'state'], spare: ['step', 'sockets'] });
}

function nodeTable({ nodes }: StatusDocument, columns: number | undefined): string {
  if (nodes.length === 0) return '';
  const rows = nodes.map(({ address, model, up, draining, slots, free, leases }) => [
    address,
    model ?? '-',
    up ? (draining ? 'draining' : 'up') : 'not there',
    String(slots),
    String(free),
    String(leases),
  ]);
  const head = ['node', 'model', 'state', 'slots', 'free', 'ours'];
  return fitTable(head, rows, { columns, left: ['node', 'model', 'state'], spare: ['model'] });
}

/** The sessions of a server, for a terminal. */
export function sessionsText({ sessions, left_out }: SessionsDocument, _paint: Paint, columns?: number): string {
  if (sessions.length === 0) return 'no session is open\n';
  const rows = sessions.map(({ id, state, lane, tenant, age_ms, node, gateway }) => [
    id,
    state,
    lane,
    tenant ?? '-',
    durationText(age_ms),
    node ?? '-',
    gateway === null ? '-' : String(gateway),
  ]);
  const head = ['session', 'state', 'lane', 'tenant', 'age', 'node', 'gateway'];
  const left = ['session', 'state', 'lane', 'tenant', 'node'];
  const table = fitTable(head, rows, { columns, left, spare: ['gateway', 'lane', 'node'] });
  return `${table}\n${left_out > 0 ? `and ${left_out} more\n` : ''}`;
}

/** What each tenant has open, for a terminal. */
export function tenantsText({ tenants }: TenantsDocument, _paint: Paint, columns?: number): string {
  if (tenants.length === 0) return 'no tenant has anything open\n';
  const rows = tenants.map(({ tenant, streaming, detached, ending, oldest_ms, users, audio_minutes_today, terms }) => [
    tenant ?? '(without a token)',
    terms?.class ?? '-',
    terms?.limits.max_sessions === null ? 'none' : String(terms?.limits.max_sessions ?? '-'),
    String(streaming),
    String(detached),
    String(ending),
    durationText(oldest_ms),
    String(users),
    minutesText(audio_minutes_today, terms?.limits.audio_minutes_per_day ?? null),
  ]);
  const head = ['tenant', 'class', 'most', 'streaming', 'detached', 'ending', 'oldest', 'users', 'min today'];
  return `${fitTable(head, rows, { columns, left: ['tenant', 'class'], spare: ['ending', 'class', 'oldest'] })}\n`;
}

/** The same of one tenant, with its users. */
export function tenantText({ tenants, users, left_out }: TenantDocument, paint: Paint, columns?: number): string {
  const whole = tenantsText({ tenants }, paint, columns);
  if (users.length === 0) return whole;
  const rows = users.map(({ user, streaming, detached, ending, oldest_ms, audio_minutes_today }) => [
    user,
    String(streaming),
    String(detached),
    String(ending),
    durationText(oldest_ms),
    minutesText(audio_minutes_today, tenants[0]?.terms?.per_user.audio_minutes_per_day ?? null),
  ]);
  const head = ['user', 'streaming', 'detached', 'ending', 'oldest', 'min today'];
  const table = fitTable(head, rows, { columns, left: ['user'], spare: ['ending', 'oldest'] });
  return `${whole}\n${table}\n${left_out > 0 ? `and ${count(left_out, 'more user')}\n` : ''}`;
}

function minutesText(today: number | null, most: number | null): string {
  if (today === null) return '-';
  return most === null ? today.toFixed(1) : `${today.toFixed(1)} of ${most}`;
}

/** What a reload of the tenants changed. */
export function reloadText({ added, removed, changed_tenants, changed }: ReloadAnswer, paint: Paint): string {
  if (!changed) return 'unchanged: the file holds what is in force\n';
  const named = (what: string, names: readonly string[]) =>
    names.length === 0 ? [] : [`${what}: ${names.join(', ')}`];
  const parts = [...named('added', added), ...named('removed', removed), ...named('changed', changed_tenants)];
  return `${paint.good('taken up')}  ${parts.length === 0 ? 'no tenant is different' : parts.join('; ')}\n`;
}

/** How far a drain has gone, and whether this call changed it. */
export function drainText({ drain, changed, audit }: z.infer<typeof drainAnswer>, paint: Paint): string {
  const entry = changed && audit ? `audit     entry ${audit.seq}\n` : '';
  return `${drainLine(drain, paint)}\n${entry}`;
}

function drainLine({ phase, open, open_at_start, since_ms, left_ms }: DrainDocument, paint: Paint): string {
  if (phase === 'serving') return `${paint.good('serving')}   does not drain; ${open} open`;
  const how = `${open} of ${open_at_start} left open after ${durationText(since_ms)}`;
  if (phase === 'leaving') return `${paint.bad('leaving')}   ${how}; told to go`;
  return `${paint.warn('emptying')}  ${how}; ${durationText(left_ms)} until they are told to go`;
}

/** Entries of an audit log, for a terminal. */
export function auditText({ entries, head }: AuditDocument, _paint: Paint, columns?: number): string {
  const rows = entries.map(({ seq, at, actor, action, target, reason }) => [
    String(seq),
    at.replace(/\.\d+Z$/, 'Z'),
    actor,
    action,
    target,
    reason,
  ]);
  const left = ['at', 'actor', 'action', 'target', 'reason'];
  const table = fitTable(['entry', ...left], rows, { columns, left, spare: ['target'] });
  return `${entries.length === 0 ? 'no entry' : table}\nhead ${head.seq}:${head.hash}\n`;
}

type ReloadAnswer = z.infer<typeof reloadAnswer>;
