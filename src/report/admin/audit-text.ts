import type { AuditReport } from '../../audit/verify.ts';
import type { Paint } from '../terminal/paint.ts';

/** What a check of an audit log found, for a terminal. */
export function verifyText(report: AuditReport, paint: Paint): string {
  const { file, entries, head, from, to, broken, torn } = report;
  const count = `${entries} ${entries === 1 ? 'entry' : 'entries'}`;
  const until = head ? `${count}, ${from} to ${to}` : count;
  const verdict = broken
    ? [`${paint.bad(broken.damage)}  ${file}:${broken.line}: ${broken.message}`, `intact before it: ${until}`]
    : [entries === 0 ? `${paint.warn('empty')}  ${file} has no entry` : `${paint.good('intact')}  ${file}: ${until}`];
  const unfinished = torn && !broken ? [tornText(file, torn)] : [];
  const kept = head ? [`head    ${head.seq}:${head.hash}`] : [];
  return `${[...verdict, ...unfinished, ...kept].join('\n')}\n`;
}

/** The same as one JSON document. */
export function verifyJson({ file, entries, head, from, to, broken, torn }: AuditReport): object {
  return {
    kind: 'AuditCheck',
    version: 1,
    file,
    intact: broken === undefined && entries > 0,
    entries,
    from: from ?? null,
    to: to ?? null,
    head: head ?? null,
    broken: broken ?? null,
    torn: torn ?? null,
  };
}

function tornText(file: string, { line, bytes }: NonNullable<AuditReport['torn']>): string {
  return (
    `torn    ${file}:${line}: a crash left ${bytes} bytes of an entry; what it was to tell of was not done, ` +
    'and the next start of the server cuts it off'
  );
}
