import { type ExitCode, exitCodes } from '../../errors.ts';
import { previewOf } from '../../load/scenario/preview.ts';
import { snakeCased } from '../../report/export/run-json.ts';
import { loadPreviewText } from '../../report/load/preview.ts';
import { createPaint } from '../../report/terminal/paint.ts';
import { wantsColour } from '../terminal.ts';
import type { LoadtestFlags } from './flags.ts';
import { prepareLoadtest } from './prepare.ts';

/** Checks a scenario with everything that it names, and shows what would run. */
export function validateLoadtest(file: string, flags: LoadtestFlags): ExitCode {
  const { scenario, prepared } = prepareLoadtest(file, flags);
  const preview = previewOf(scenario, prepared);
  process.stdout.write(
    flags.json
      ? `${JSON.stringify(snakeCased(preview), null, 2)}\n`
      : loadPreviewText(preview, createPaint(wantsColour(process.stdout))),
  );
  return exitCodes.pass;
}
