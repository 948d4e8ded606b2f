import { existsSync } from 'node:fs';
import { z } from 'zod';
import type { AuditHead } from '../../audit/entry.ts';
import { parseAuditHead, verifyAudit } from '../../audit/verify.ts';
import { readText } from '../../config/read-chunks.ts';
import { type ExitCode, exitCodes, SpeechfbError } from '../../errors.ts';
import { verifyJson, verifyText } from '../../report/admin/audit-text.ts';
import { printJson } from '../output.ts';
import { printReport } from '../terminal.ts';

export type VerifyFlags = { head?: string; json?: true };

/** 0: intact; 99: it was changed; 98: it has no entry, and nothing was proven. */
export async function runVerify(file: string, { head, json }: VerifyFlags): Promise<ExitCode> {
  const report = await verifyAudit(file, head === undefined ? undefined : readHead(head));
  if (json) printJson(verifyJson(report));
  else printReport(report, verifyText);
  if (report.broken) return exitCodes.missed;
  return report.entries === 0 ? exitCodes.invalid : exitCodes.pass;
}

function readHead(given: string): AuditHead {
  if (!existsSync(given)) return parseAuditHead(given);
  const parsed = document.safeParse(parsedJson(readText(given, 'head of an audit log')));
  if (parsed.success) return parsed.data.head;
  throw new SpeechfbError('bad_flag', `--head: ${given} has no head of an audit log`, {
    hint: 'speechfb audit verify FILE --json prints one',
  });
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const document = z.object({ head: z.object({ seq: z.int().min(1), hash: z.string().regex(/^[0-9a-f]{64}$/) }) });
