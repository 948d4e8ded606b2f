import type { LimitsAnswer, LimitsDocument } from '../../admin/limits-document.ts';
import { folded } from '../terminal/fold.ts';
import type { Paint } from '../terminal/paint.ts';

/** Every limit in force for a terminal, each with its range, what it is for and who has set it. */
export function limitsText({ limits }: LimitsDocument, paint: Paint, columns = 120): string {
  const texts = limits.map(({ name, value, default: standard, least, most, live, about, set_by: by }) => {
    const when = live ? 'may be set while it runs' : 'at the start';
    const range = `${least} to ${most}, ${valueText(standard)} by default; ${when}`;
    const author = by ? [`set by ${by.actor}, ${by.at}: ${by.reason}`] : [];
    const lines = [about, range, ...author].map((line) => folded(`  ${line}`, columns));
    return [`${paint.bold(name)}  ${valueText(value)}`, ...lines].join('\n');
  });
  return `${texts.join('\n')}\n`;
}

/** What was changed, limit by limit. */
export function limitsSetText({ changes, changed, audit }: LimitsAnswer, paint: Paint): string {
  if (!changed) return 'unchanged: these values are in force\n';
  const lines = changes.map(({ name, from, to }) => `${name}  ${valueText(from)} -> ${valueText(to)}`);
  const entry = audit ? `, until the server ends; the audit log has it as entry ${audit.seq}` : '';
  return `${paint.good('in force')}${entry}\n${lines.join('\n')}\n`;
}

function valueText(value: number | null): string {
  return value === null ? 'none' : String(value);
}
