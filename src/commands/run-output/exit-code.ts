import { type ExitCode, exitCodes } from '../../errors.ts';
import type { LoadReport } from '../../results/report.ts';

/** How a run that ended as this report says exits. */
export function exitCodeOf({ interrupted, verdict }: Pick<LoadReport, 'interrupted' | 'verdict'>): ExitCode {
  if (interrupted) return exitCodes.interrupted;
  return { pass: exitCodes.pass, fail: exitCodes.missed, invalid: exitCodes.invalid }[verdict];
}
