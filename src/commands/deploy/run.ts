import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { planDeployment } from '../../deploy/deployment.ts';
import { helmChart, type Output, type OutputFile, plainManifests } from '../../deploy/output.ts';
import { type ExitCode, exitCodes, SpeechfbError } from '../../errors.ts';
import { fileTrouble } from '../../file-trouble.ts';
import { deploymentJson, renderDeployment } from '../../report/deploy/text.ts';
import { playProgress } from '../capacity/play-progress.ts';
import { printJson, say } from '../output.ts';
import { packageVersion } from '../package.ts';
import { printReport } from '../terminal.ts';
import type { DeployFlags } from './flags.ts';
import { readDeployInputs } from './read.ts';

/** Plans the deployment, writes it, and says what the scenario comes to with it: 99 is a miss. */
export function runDeploy(flags: DeployFlags): ExitCode {
  const { inputs, extras } = readDeployInputs(flags);
  const plan = planDeployment(inputs, extras);
  const output: Output = flags.format === 'helm' ? helmChart(plan, packageVersion()) : plainManifests(plan);
  if (flags.out !== undefined) {
    writeAll(flags.out, output.files);
    say(`speechfb: wrote ${output.files.length} files to ${flags.out}`);
  }
  const shown = { name: plan.name, played: plan.play(playProgress()), output, explain: flags.explain === true };
  if (flags.json) printJson(deploymentJson(shown));
  else printReport(shown, renderDeployment);
  return shown.played.verdict === 'fail' ? exitCodes.missed : exitCodes.pass;
}

/** Files of another deployment would be applied along with these, so the folder must be ours. */
function writeAll(folder: string, files: readonly OutputFile[]): void {
  try {
    const strange = filesBelow(folder).filter((file) => !files.some(({ path }) => path === file));
    if (strange.length > 0)
      throw new SpeechfbError('output_unwritable', `${folder} has ${strange[0]} in it, which this deployment has not`, {
        hint: 'choose an empty folder, or remove what is there: kubectl would apply it along with the rest',
      });
    for (const { path, text } of files) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), text);
    }
  } catch (cause) {
    if (cause instanceof SpeechfbError) throw cause;
    throw new SpeechfbError('output_unwritable', `cannot write to ${folder}: ${fileTrouble(cause)}`, {
      cause,
    });
  }
}

function filesBelow(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.ya?ml$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name).slice(join(folder, '/').length));
}
