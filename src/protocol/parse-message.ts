import type { z } from 'zod';
import { firstFew, plainSentence, shown } from '../config/sentences.ts';
import { type ClientMessage, clientMessage } from './client-messages.ts';
import type { WireErrorCode } from './codes.ts';

export type ParsedMessage = { ok: true; message: ClientMessage } | { ok: false; code: WireErrorCode; problem: string };

/**
 * A client's text message, or the wire error that it earns and a sentence that names every problem
 * at once.
 */
export function parseClientMessage(text: string): ParsedMessage {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { ok: false, code: 'invalid_message', problem: `the message is not JSON: ${shown(text)}` };
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return { ok: false, code: 'invalid_message', problem: `the message is no JSON object: ${shown(value)}` };
  const type = 'type' in value ? value.type : undefined;
  if (!types.some((one) => one === type)) {
    const given = type === undefined ? 'is missing' : shown(type);
    return { ok: false, code: 'invalid_message', problem: `type is not one of ${types.join(', ')}: ${given}` };
  }
  const parsed = clientMessage.safeParse(value, { error: plainSentence });
  if (parsed.success) return { ok: true, message: parsed.data };
  return {
    ok: false,
    code: codeFor(parsed.error.issues),
    problem: parsed.error.issues.slice(0, shownIssues).map(describe).join('; '),
  };
}

const shownIssues = 5;
const types = clientMessage.options.map((option) => [...option.shape.type.values][0]);

/** The one field that is at fault may have an error of its own. */
function codeFor(issues: readonly z.core.$ZodIssue[]): WireErrorCode {
  const fields = new Set(issues.map((issue) => issue.path[0]));
  if (fields.size !== 1) return 'invalid_message';
  if (fields.has('audio')) return 'unsupported_audio';
  return fields.has('reference') ? 'invalid_reference' : 'invalid_message';
}

function describe(issue: z.core.$ZodIssue): string {
  const where = issue.path.length === 0 ? '' : `${issue.path.join('.')}: `;
  if (issue.code === 'invalid_union') return `${where}${describeUnion(issue.errors)}`;
  return `${where}${issue.message}`;
}

/** The problem of that branch of a union that came closest. */
function describeUnion(branches: readonly (readonly z.core.$ZodIssue[])[]): string {
  const closest = [...branches].sort((a, b) => depth(b) - depth(a) || a.length - b.length)[0] ?? [];
  return firstFew(closest, describe, shownIssues);
}

function depth(issues: readonly z.core.$ZodIssue[]): number {
  return Math.max(0, ...issues.map((issue) => issue.path.length));
}
