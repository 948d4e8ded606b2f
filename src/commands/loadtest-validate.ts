import { type ExitCode, exitCodes } from '../errors.ts';
import { previewOf } from '../load/preview.ts';
import { loadPreviewText } from '../report/load-preview.ts';
import { createPaint } from '../report/paint.ts';
import { snakeCased } from '../report/run-json.ts';
import type { LoadtestFlags } from './loadtest.ts';
import { prepareLoadtest } from './loadtest-prepare.ts';
import { wantsColour } from './terminal.ts';

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
