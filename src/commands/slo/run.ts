import { writeFileSync } from 'node:fs';
import { type ExitCode, exitCodes, SpeechfbError } from '../../errors.ts';
import { fileTrouble } from '../../file-trouble.ts';
import { alertSentences, checkJson, checkText, evaluationJson, evaluationText } from '../../report/slo/slo-text.ts';
import { checkServiceLevel } from '../../slo/service-level/check.ts';
import { overallVerdict } from '../../slo/service-level/evaluate.ts';
import { explainEvaluation } from '../../slo/service-level/explain.ts';
import { rulesText } from '../../slo/service-level/rules.ts';
import type { ServiceLevel } from '../../slo/service-level/service-level.ts';
import { printDocument, printJson, say } from '../output.ts';
import { shippedOr } from '../shipped.ts';
import { printReport } from '../terminal.ts';
import type { SloFlags } from './flags.ts';
import { measureServiceLevel } from './measure.ts';
import { readServiceLevel } from './read-service-level.ts';

/** One verb of `speechfb slo`: reads the file, prints, and says how it ended. */
export async function runSlo(verb: keyof typeof verbs, file: string, flags: SloFlags): Promise<ExitCode> {
  return verbs[verb](readServiceLevel(shippedOr('service level', file), flags.name), flags);
}

const verbs = { check, rules, evaluate, explain };

function check(level: ServiceLevel, { json }: SloFlags): ExitCode {
  const found = checkServiceLevel(level);
  if (json) printJson(checkJson(level, found));
  else printReport({ level, found }, (shown, paint) => checkText(shown.level, shown.found, paint));
  return exitCodes.pass;
}

function rules(level: ServiceLevel, { out }: SloFlags): ExitCode {
  const text = rulesText(level);
  if (out === undefined) {
    printDocument(text);
    return exitCodes.pass;
  }
  try {
    writeFileSync(out, text);
  } catch (cause) {
    throw new SpeechfbError('output_unwritable', `cannot write "${out}": ${fileTrouble(cause)}`, { cause });
  }
  say(`rules are in ${out}; promtool check rules ${out} holds them against Prometheus`);
  return exitCodes.pass;
}

async function evaluate(level: ServiceLevel, flags: SloFlags): Promise<ExitCode> {
  const evaluations = await measureServiceLevel(level, flags);
  const verdict = overallVerdict(evaluations);
  if (flags.json) printJson(evaluationJson(level, evaluations, verdict));
  else printReport({ level, evaluations }, (shown, paint) => evaluationText(shown.level, shown.evaluations, paint));
  return { pass: exitCodes.pass, fail: exitCodes.missed, invalid: exitCodes.invalid }[verdict];
}

async function explain(level: ServiceLevel, flags: SloFlags): Promise<ExitCode> {
  if (flags.run === undefined && flags.prometheus === undefined) {
    printReport(level, alertSentences);
    return exitCodes.pass;
  }
  const evaluations = await measureServiceLevel(level, flags);
  for (const evaluation of evaluations) {
    printReport({ level, evaluation }, (shown) => {
      const { verdict, reason } = shown.evaluation;
      const doubt = verdict === 'invalid' ? ` That decides nothing: ${reason}.` : '';
      return `${explainEvaluation(shown.level, shown.evaluation)}${doubt}\n`;
    });
  }
  return exitCodes.pass;
}
