import { type ExitCode, exitCodes } from '../../errors.ts';
import { previewOf } from '../../load/scenario/preview.ts';
import { snakeCased } from '../../report/export/run-json.ts';
import { loadPreviewText } from '../../report/load/preview.ts';
import { printJson } from '../output.ts';
import { printReport } from '../terminal.ts';
import type { LoadtestFlags } from './flags.ts';
import { prepareLoadtest } from './prepare.ts';

/** Checks a scenario with everything that it names, and shows what would run. */
export function validateLoadtest(file: string, flags: LoadtestFlags): ExitCode {
  const { scenario, prepared } = prepareLoadtest(file, flags);
  const preview = previewOf(scenario, prepared);
  if (flags.json) printJson(snakeCased(preview));
  else printReport(preview, loadPreviewText);
  return exitCodes.pass;
}
