import { z } from 'zod';
import type { AuditHead } from '../audit/entry.ts';
import type { AuditLog } from '../audit/log.ts';
import { SpeechfbError } from '../errors.ts';
import type { LimitBook, LimitChange } from '../server/limit-book.ts';
import type { AdminCaller, AdminRole } from './admin-tokens.ts';
import { drainOf, policyOfLimits, sessionsOf, statusOf, usageOf, usersOf } from './answers.ts';
import type { DrainControl } from './drain-control.ts';
import { externalMetricResources, externalMetricsPath, externalMetricValues, metricAt } from './external-metrics.ts';
import { bookOf, changesOf, limitsOf } from './limits-document.ts';
import { policiesOf, routingPolicyOf } from './policy-document.ts';
import { RefusedCall } from './refusal.ts';
import { routingOf } from './routing-document.ts';
import type { AdminTarget, TargetSession, TenantsTarget } from './target.ts';

/** What the routes act on. */
export type RouteContext = {
  target: AdminTarget;
  drain: DrainControl;
  /** Absent: nothing may be changed. */
  audit: AuditLog | undefined;
  startedMs: number;
  /** Monotonic, ms. */
  now(): number;
};

/** A call whose sender is known and may make it. */
export type AdminCall = { caller: AdminCaller; query: URLSearchParams; body: unknown };

export type Route = {
  role: AdminRole;
  answer(context: RouteContext, call: AdminCall): Promise<object>;
};

/** What there is, by method and path. */
export const routes: Readonly<Record<string, Readonly<Record<string, Route>>>> = {
  '/admin/v1/status': { GET: { role: 'read', answer: status } },
  '/admin/v1/sessions': { GET: { role: 'read', answer: sessions } },
  '/admin/v1/routing': { GET: { role: 'read', answer: routing } },
  '/admin/v1/routing/policy': {
    GET: { role: 'read', answer: async ({ target }) => routingPolicyOf(target) },
    POST: { role: 'operate', answer: setPolicy },
  },
  '/admin/v1/tenants': { GET: { role: 'read', answer: tenants } },
  '/admin/v1/tenants/reload': { POST: { role: 'operate', answer: reloadTenants } },
  '/admin/v1/policy': {
    GET: { role: 'read', answer: async ({ target }) => ({ limits: policyOfLimits(target.policy()) }) },
  },
  '/admin/v1/limits': {
    GET: { role: 'read', answer: async ({ target }) => limitsOf(target) },
    POST: { role: 'operate', answer: setLimits },
  },
  '/admin/v1/audit': { GET: { role: 'read', answer: auditEntries } },
  '/admin/v1/drain': {
    GET: { role: 'read', answer: async ({ drain }) => ({ drain: drainOf(drain.state()) }) },
    POST: { role: 'operate', answer: startDrain },
  },
  '/admin/v1/drain/cancel': { POST: { role: 'operate', answer: cancelDrain } },
  [externalMetricsPath]: { GET: { role: 'read', answer: async () => externalMetricResources() } },
};

/** What there is at the path of one external metric; undefined: there is no such metric. */
export function externalRoute(path: string): (typeof routes)[string] | undefined {
  const metric = metricAt(path);
  if (metric === undefined) return undefined;
  return {
    GET: {
      role: 'read',
      answer: async ({ target }, { query }) => {
        const selector = query.get('labelSelector') ?? '';
        const asked = { role: target.role, selector, nowMs: Date.now() };
        return externalMetricValues(metric, await target.status(), asked);
      },
    },
  };
}

async function status(context: RouteContext): Promise<object> {
  const { target, drain, audit, startedMs, now } = context;
  return {
    ...statusOf(await target.status(), target),
    up_ms: Math.round(now() - startedMs),
    drain: drainOf(drain.state()),
    audit: audit?.head ?? null,
  };
}

async function sessions(context: RouteContext, { query }: AdminCall): Promise<object> {
  const { limit } = parseQuery(query, z.strictObject({ limit: wholeNumber(1, mostSessions).default(mostSessions) }));
  return sessionsOf(await sessionsAt(context), limit);
}

async function routing({ target }: RouteContext): Promise<object> {
  const views = (await target.routing?.()) ?? [];
  if (views.length > 0) return routingOf(views);
  const message = 'no policy decides who writes transcripts here: start it with --routing FILE';
  throw new RefusedCall({ status: 404, code: 'not_found', message });
}

async function setPolicy({ target, audit }: RouteContext, { caller, body }: AdminCall): Promise<object> {
  const shape = z.strictObject({ reason, file: z.string().min(1).max(500), text: z.string().min(1) });
  const { reason: why, file, text } = parseBody(body, shape);
  const log = required(audit);
  const policies = policiesOf(target);
  try {
    const { changes } = await policies.set(file, text, { actor: caller.name, reason: why });
    return { ...routingPolicyOf(target), changes, changed: changes.length > 0, audit: log.head };
  } catch (error) {
    throw refusedFile(error);
  }
}

async function tenants(context: RouteContext, { query }: AdminCall): Promise<object> {
  const shape = z.strictObject({ tenant: z.string().optional(), limit: wholeNumber(1, mostUsers).optional() });
  const { tenant, limit = mostUsersUnasked } = parseQuery(query, shape);
  if (tenant === undefined && query.has('limit')) {
    const message = 'the query: limit: is how many users of a tenant are shown, and goes with tenant';
    throw new RefusedCall({ status: 400, code: 'invalid_message', message });
  }
  const sessionsNow = await sessionsAt(context);
  const { tenants: known } = context.target;
  const isMeant = (name: string | undefined): boolean => tenant === undefined || name === tenant;
  const terms = (known?.list() ?? []).filter(({ name }) => isMeant(name));
  const heard = terms.map(async (one) => ({ ...one, heardTodayMs: (await known?.heardTodayMs(one.name)) ?? 0 }));
  const theirs = sessionsNow.filter((session) => isMeant(session.tenant));
  const usage = usageOf(theirs, await Promise.all(heard));
  if (tenant === undefined) return usage;
  const isCounted = terms[0]?.userCaps.audioMinutesPerDay !== undefined;
  const heardTodayMs = isCounted ? async (user: string) => (await known?.heardTodayMs(tenant, user)) ?? 0 : undefined;
  if (usage.tenants.length > 0) return { ...usage, ...(await usersOf(theirs, limit, heardTodayMs)) };
  const message = `no tenant of this server is "${tenant}", and none of that name has anything open`;
  throw new RefusedCall({ status: 404, code: 'not_found', message });
}

async function sessionsAt({ target }: RouteContext): Promise<readonly TargetSession[]> {
  if (target.sessions) return await target.sessions();
  const message = 'a node knows slots, not sessions: ask its gateways, or /admin/v1/status for the slots';
  throw new RefusedCall({ status: 404, code: 'not_found', message });
}

async function auditEntries({ audit }: RouteContext, { query }: AdminCall): Promise<object> {
  const shape = z.strictObject({
    since: wholeNumber(0, Number.MAX_SAFE_INTEGER).default(0),
    limit: wholeNumber(1, mostEntries).default(mostEntries),
  });
  const { since, limit } = parseQuery(query, shape);
  const log = required(audit);
  return { entries: await log.entries(since, limit), head: log.head };
}

async function startDrain({ target, drain, audit }: RouteContext, { caller, body }: AdminCall): Promise<object> {
  const shape = z.strictObject({ reason, deadline_ms: z.int().min(0).max(mostDeadlineMs).default(defaultDeadlineMs) });
  const { reason: why, deadline_ms } = parseBody(body, shape);
  if (drain.state().phase !== 'serving') return unchanged(drain, audit);
  const head = await changed(audit, caller, {
    action: 'drain.start',
    target: target.role,
    diff: { phase: ['serving', 'emptying'], deadline_ms, open: target.open() },
    reason: why,
  });
  drain.begin(deadline_ms);
  return { drain: drainOf(drain.state()), changed: true, audit: head };
}

async function cancelDrain({ target, drain, audit }: RouteContext, { caller, body }: AdminCall): Promise<object> {
  const { reason: why } = parseBody(body, z.strictObject({ reason }));
  const { phase } = drain.state();
  if (phase === 'serving') return unchanged(drain, audit);
  if (phase === 'leaving') throw tooLate();
  const head = await changed(audit, caller, {
    action: 'drain.cancel',
    target: target.role,
    diff: { phase: ['emptying', 'serving'] },
    reason: why,
  });
  // The deadline may have passed while the disk took its time.
  if (!drain.cancel()) throw tooLate();
  return { drain: drainOf(drain.state()), changed: true, audit: head };
}

async function reloadTenants({ target, audit }: RouteContext, { caller, body }: AdminCall): Promise<object> {
  const { reason: why } = parseBody(body, z.strictObject({ reason }));
  const { changes, take } = reread(target);
  const { added, removed, changed: changedTenants, others } = changes;
  const names = { added, removed, changed_tenants: changedTenants };
  if (!others && added.length + removed.length + changedTenants.length === 0) {
    return { ...names, changed: false, audit: audit?.head ?? null };
  }
  const head = await changed(audit, caller, {
    action: 'tenants.reload',
    target: target.role,
    diff: { ...names, others },
    reason: why,
  });
  take();
  return { ...names, changed: true, audit: head };
}

async function setLimits({ target, audit }: RouteContext, { caller, body }: AdminCall): Promise<object> {
  const wanted = z.record(z.string(), z.number().nullable()).refine((set) => Object.keys(set).length > 0, 'is empty');
  const { reason: why, set } = parseBody(body, z.strictObject({ reason, set: wanted }));
  const book = bookOf(target);
  const changes = differencesOf(book, set);
  const named = changesOf(changes);
  if (changes.length === 0) return { changes: named, changed: false, audit: audit?.head ?? null };
  const head = await changed(audit, caller, {
    action: 'limits.set',
    target: target.role,
    diff: Object.fromEntries(named.map(({ name, from, to }) => [name, [from, to]])),
    reason: why,
  });
  book.set(changes, { actor: caller.name, reason: why }, Date.now());
  return { changes: named, changed: true, audit: head };
}

function differencesOf(book: LimitBook, set: Readonly<Record<string, number | null>>): LimitChange[] {
  try {
    return book.differences(set);
  } catch (error) {
    if (!(error instanceof SpeechfbError) || error.code !== 'bad_limit') throw error;
    throw new RefusedCall({ status: 409, code: error.code, message: `nothing was changed: ${error.message}` });
  }
}

function reread({ tenants: known }: AdminTarget): ReturnType<TenantsTarget['reread']> {
  if (!known) {
    const message = 'this server knows no tenants: start it with --tenants FILE';
    throw new RefusedCall({ status: 404, code: 'not_found', message });
  }
  try {
    return known.reread();
  } catch (error) {
    throw refusedFile(error);
  }
}

/** What is wrong with a file, as a refusal; what else goes wrong as it is. */
function refusedFile(error: unknown): unknown {
  if (!(error instanceof SpeechfbError) || error.code.startsWith('audit_')) return error;
  const problems = error.problems.map(({ where, message }) => (where === undefined ? message : `${where}: ${message}`));
  const message = `nothing was changed: ${[error.message, ...problems].join('; ')}`;
  return new RefusedCall({ status: 409, code: error.code, message });
}

/** Writes down what is about to be changed: who calls this changes it afterwards, or not at all. */
async function changed(
  audit: AuditLog | undefined,
  { name }: AdminCaller,
  change: { action: string; target: string; diff: object; reason: string },
): Promise<AuditHead> {
  const { seq, hash } = await required(audit).append({ actor: name, ...change });
  return { seq, hash };
}

function unchanged(drain: DrainControl, audit: AuditLog | undefined): object {
  return { drain: drainOf(drain.state()), changed: false, audit: audit?.head ?? null };
}

function required(audit: AuditLog | undefined): AuditLog {
  if (audit) return audit;
  const message = 'this server writes no audit log, so nothing can be changed: start it with --audit-log FILE';
  throw new RefusedCall({ status: 409, code: 'no_audit_log', message });
}

function tooLate(): RefusedCall {
  const message = 'the drain cannot be called off: those who were left have been told to go';
  return new RefusedCall({ status: 409, code: 'drain_over', message });
}

function parseQuery<Shape extends z.ZodObject>(query: URLSearchParams, shape: Shape): z.infer<Shape> {
  return parsed(Object.fromEntries(query), shape, 'the query');
}

function parseBody<Shape extends z.ZodObject>(body: unknown, shape: Shape): z.infer<Shape> {
  return parsed(body ?? {}, shape, 'the body');
}

function parsed<Shape extends z.ZodObject>(value: unknown, shape: Shape, what: string): z.infer<Shape> {
  const found = shape.safeParse(value);
  if (found.success) return found.data;
  const problems = found.error.issues.map(({ path, message }) => [path.join('.'), message].filter(Boolean).join(': '));
  throw new RefusedCall({ status: 400, code: 'invalid_message', message: `${what}: ${problems.join('; ')}` });
}

function wholeNumber(least: number, most: number) {
  return z
    .string()
    .regex(/^\d{1,16}$/, 'is no whole number')
    .transform(Number)
    .pipe(z.int().min(least).max(most));
}

const reason = z
  .string({ error: 'say why, in words' })
  .trim()
  .min(3, { error: 'say why, in words' })
  .max(500, { error: 'has more than 500 characters' });

const mostSessions = 1000;
const mostUsers = 1000;
const mostUsersUnasked = 20;
const mostEntries = 1000;
const defaultDeadlineMs = 60_000;
const mostDeadlineMs = 86_400_000;
