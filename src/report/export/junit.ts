import { costLimit } from '../../results/cost.ts';
import type { LoadReport } from '../../results/report.ts';
import { formatValue } from '../terminal/format-value.ts';
import { xmlText } from './xml-text.ts';

/**
 * The report as `junit.xml`, which CI systems show beside unit tests: a test case an objective and
 * one a condition on the generator. A missed objective is a failure; what proves nothing is an
 * error, so that it never shows as passed.
 */
export function junitXml(report: LoadReport): string {
  const { scenario, elapsedMs, startedAt } = report;
  const cases = [...report.objectives.map(objectiveCase), ...report.validity.map(validityCase)];
  if (report.interrupted) cases.push({ group: 'run', name: 'ran to its end', error: 'interrupted', detail: '' });
  if (report.aborted?.objective === costLimit)
    cases.push({ group: 'run', name: costLimit, failure: report.aborted.reason, detail: '' });
  const count = (kind: 'failure' | 'error') => cases.filter((one) => one[kind] !== undefined).length;
  const totals = `tests="${cases.length}" failures="${count('failure')}" errors="${count('error')}" skipped="0" time="${seconds(elapsedMs)}"`;
  const properties = Object.entries({
    seed: scenario.seed,
    schedule: scenario.planHash,
    target: scenario.target,
    ...(report.assumeIndependent && { 'assume-independent': true }),
  });
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="speechfb loadtest" ${totals}>`,
    `  <testsuite name="${xmlText(scenario.name)}" ${totals} timestamp="${startedAt.replace(/\.\d+Z$/, 'Z')}">`,
    '    <properties>',
    ...properties.map(([name, value]) => `      <property name="${name}" value="${xmlText(String(value))}"/>`),
    '    </properties>',
    ...cases.flatMap((one) => caseLines(scenario.name, one)),
    '  </testsuite>',
    '</testsuites>',
    '',
  ].join('\n');
}

type Case = { group: string; name: string; failure?: string; error?: string; detail: string };

function objectiveCase({ objective, verdict, reason, ...one }: LoadReport['objectives'][number]): Case {
  const bound = one.confidenceBound === undefined ? '' : `, proven ${formatValue(one.confidenceBound, one.unit)}`;
  const detail = `measured ${formatValue(one.value, one.unit)}${bound}, ${one.samples} samples, ${one.misses} missed`;
  const verdicts = { pass: {}, fail: { failure: reason }, invalid: { error: reason } };
  return { group: 'objectives', name: objective, ...verdicts[verdict], detail };
}

function validityCase({ check, ok, detail }: LoadReport['validity'][number]): Case {
  return { group: 'generator', name: check, ...(ok ? {} : { error: detail }), detail };
}

function caseLines(suite: string, { group, name, failure, error, detail }: Case): string[] {
  const open = `    <testcase classname="${xmlText(suite)}.${group}" name="${xmlText(name)}" time="0">`;
  const lines = [open];
  if (failure !== undefined) lines.push(problem('failure', 'missed', failure, detail));
  if (error !== undefined) lines.push(problem('error', 'invalid', error, detail));
  lines.push(`      <system-out>${xmlText(detail)}</system-out>`, '    </testcase>');
  return lines;
}

function problem(tag: string, type: string, message: string, detail: string): string {
  return `      <${tag} type="${type}" message="${xmlText(message)}">${xmlText(detail)}</${tag}>`;
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(3);
}
