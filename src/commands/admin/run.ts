import { setTimeout as wait } from 'node:timers/promises';
import { z } from 'zod';
import {
  auditDocument,
  drainAnswer,
  drainDocument,
  reloadAnswer,
  sessionsDocument,
  statusDocument,
  tenantDocument,
  tenantsDocument,
} from '../../admin/documents.ts';
import { limitsAnswer, limitsDocument } from '../../admin/limits-document.ts';
import { policyDocument, policySetAnswer } from '../../admin/policy-document.ts';
import { routingDocument } from '../../admin/routing-document.ts';
import { readText } from '../../config/read-chunks.ts';
import { type ExitCode, exitCodes, SpeechfbError } from '../../errors.ts';
import { policyOfText } from '../../flags/source/policy-text.ts';
import {
  auditText,
  drainText,
  reloadText,
  sessionsText,
  statusText,
  tenantsText,
  tenantText,
} from '../../report/admin/admin-text.ts';
import { limitsSetText, limitsText } from '../../report/admin/limits-text.ts';
import { policySetText, policyText } from '../../report/admin/policy-text.ts';
import { routingText } from '../../report/admin/routing-text.ts';
import { interruptible } from '../interruption.ts';
import { printJson, say } from '../output.ts';
import { printReport } from '../terminal.ts';
import { AdminClient, type ClientFlags } from './client.ts';

export type AdminVerbFlags = ClientFlags & {
  json?: true;
  reason?: string;
  reload?: true;
  deadline?: number;
  cancel?: true;
  show?: true;
  wait?: true;
  since?: number;
  limit?: number;
  policy?: true;
  /** Limits by their names; null: none. */
  set?: Record<string, number | null>;
  /** What stands behind the verb. */
  words?: readonly string[];
};

/** One verb of `speechfb admin`; what the server refuses exits 2 with its words. */
export async function runAdmin(verb: keyof typeof verbs, flags: AdminVerbFlags): Promise<ExitCode> {
  const client = new AdminClient(flags);
  try {
    return await verbs[verb](client, flags);
  } finally {
    await client.close();
  }
}

export const verbs = { status, sessions, routing, tenants, limits, drain, audit };

async function status(client: AdminClient, { json }: AdminVerbFlags): Promise<ExitCode> {
  const document = await client.call('GET', '/admin/v1/status', statusDocument);
  if (json) printJson(document);
  else printReport(document, statusText);
  return exitCodes.pass;
}

async function sessions(client: AdminClient, { json }: AdminVerbFlags): Promise<ExitCode> {
  const document = await client.call('GET', '/admin/v1/sessions', sessionsDocument);
  if (json) printJson(document);
  else printReport(document, sessionsText);
  return exitCodes.pass;
}

async function routing(client: AdminClient, flags: AdminVerbFlags): Promise<ExitCode> {
  const { json, words = [], policy } = flags;
  if (words.length > 0) return await setRouting(client, flags);
  if (policy) {
    const shown = await client.call('GET', '/admin/v1/routing/policy', policyDocument);
    if (json) printJson(shown);
    else printReport(shown, policyText);
    return exitCodes.pass;
  }
  const document = await client.call('GET', '/admin/v1/routing', routingDocument);
  if (json) printJson(document);
  else printReport(document, routingText);
  return exitCodes.pass;
}

async function setRouting(client: AdminClient, { json, reason, words = [] }: AdminVerbFlags): Promise<ExitCode> {
  const [word, file] = words;
  if (word !== 'set' || file === undefined) {
    const hint = 'speechfb admin routing set FILE --reason TEXT';
    throw new SpeechfbError('bad_flag', `"${words.join(' ')}" is nothing that routing does; allowed: set FILE`, {
      hint,
    });
  }
  const why = given(reason);
  const text = readText(file, 'policy');
  // What is wrong with it is said here, before a server is asked.
  policyOfText(file, text);
  const answer = await client.call('POST', '/admin/v1/routing/policy', policySetAnswer, { file, text, reason: why });
  if (json) printJson(answer);
  else printReport(answer, policySetText);
  return exitCodes.pass;
}

async function tenants(client: AdminClient, { json, reload, reason, words = [] }: AdminVerbFlags): Promise<ExitCode> {
  const [name] = words;
  if (name !== undefined) {
    if (reload) throw new SpeechfbError('bad_flag', '--reload takes the whole file up: leave the tenant out');
    const asked = `/admin/v1/tenants?tenant=${encodeURIComponent(name)}`;
    const one = await client.call('GET', asked, tenantDocument);
    if (json) printJson(one);
    else printReport(one, tenantText);
    return exitCodes.pass;
  }
  if (reload) {
    const answer = await client.call('POST', '/admin/v1/tenants/reload', reloadAnswer, { reason: given(reason) });
    if (json) printJson(answer);
    else printReport(answer, reloadText);
    return exitCodes.pass;
  }
  const document = await client.call('GET', '/admin/v1/tenants', tenantsDocument);
  if (json) printJson(document);
  else printReport(document, tenantsText);
  return exitCodes.pass;
}

async function limits(client: AdminClient, { json, set = {}, reason }: AdminVerbFlags): Promise<ExitCode> {
  if (Object.keys(set).length > 0) {
    const answer = await client.call('POST', '/admin/v1/limits', limitsAnswer, { set, reason: given(reason) });
    if (json) printJson(answer);
    else printReport(answer, limitsSetText);
    return exitCodes.pass;
  }
  const document = await client.call('GET', '/admin/v1/limits', limitsDocument);
  if (json) printJson(document);
  else printReport(document, limitsText);
  return exitCodes.pass;
}

async function audit(client: AdminClient, { json, since = 0, limit = 1000 }: AdminVerbFlags): Promise<ExitCode> {
  const document = await client.call('GET', `/admin/v1/audit?since=${since}&limit=${limit}`, auditDocument);
  if (json) printJson(document);
  else printReport(document, auditText);
  return exitCodes.pass;
}

async function drain(client: AdminClient, flags: AdminVerbFlags): Promise<ExitCode> {
  const { json, wait: waits } = flags;
  const document = await drainOf(client, flags);
  if (json) printJson(document);
  else printReport(document, drainText);
  if (!waits || document.drain.phase === 'serving') return exitCodes.pass;
  return await interruptible((signal) => gone(client, signal));
}

async function drainOf(client: AdminClient, { show, cancel, reason, deadline }: AdminVerbFlags): Promise<DrainAnswer> {
  if (show) {
    const { drain: shown } = await client.call('GET', '/admin/v1/drain', shownDrain);
    return { drain: shown, changed: false, audit: null };
  }
  const why = { reason: given(reason) };
  if (cancel) return await client.call('POST', '/admin/v1/drain/cancel', drainAnswer, why);
  const within = deadline === undefined ? {} : { deadline_ms: Math.round(deadline) };
  return await client.call('POST', '/admin/v1/drain', drainAnswer, { ...why, ...within });
}

function given(reason: string | undefined): string {
  if (reason !== undefined) return reason;
  const hint = 'it is kept in the audit log, as --reason "new version 1.4"';
  throw new SpeechfbError('bad_flag', 'say why with --reason TEXT', { hint });
}

/** Waits until the server is not there any more, or serves again because somebody called it off. */
async function gone(client: AdminClient, signal: AbortSignal): Promise<ExitCode> {
  let last = '';
  while (!signal.aborted) {
    await wait(pollMs, undefined, { signal }).catch(() => {});
    if (signal.aborted) break;
    const answer = await client.call('GET', '/admin/v1/drain', shownDrain).catch(unreachable);
    if (!answer) return exitCodes.pass;
    const { phase, open } = answer.drain;
    if (phase === 'serving') {
      say('the drain was called off: the server serves again');
      return exitCodes.missed;
    }
    const now = `${phase}, ${open} open`;
    if (now !== last) say(now);
    last = now;
  }
  return exitCodes.interrupted;
}

function unreachable(error: unknown): undefined {
  if (!(error instanceof SpeechfbError && error.code === 'admin_unreachable')) throw error;
  return undefined;
}

type DrainAnswer = z.infer<typeof drainAnswer>;

const shownDrain = z.object({ drain: drainDocument });
const pollMs = 500;
