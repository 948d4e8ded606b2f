import { expect, it } from 'vitest';
import { junitXml } from '../../../src/report/export/junit.ts';
import { report } from '../../kit/report-fixture.ts';

const xml = junitXml(report);

it.each([
  ['counts missed objectives as failures, and what proves nothing as errors', 'tests="4" failures="1" errors="2"'],
  [
    'has a case for each objective',
    '<testcase classname="quickstart.objectives" name="p95(feedback_latency) &lt; 500ms"',
  ],
  [
    'says why an objective was missed',
    '<failure type="missed" message="300 of 4060 missed">measured never, 4060 samples',
  ],
  [
    'says what an unproven objective needs',
    '<error type="invalid" message="not proven; needs 12 more samples, none a miss">',
  ],
  ['has a case for each condition on the generator', '<testcase classname="quickstart.generator" name="feedback due"'],
  ['says which condition failed', '<error type="invalid" message="p99 12.0 ms, at most 10 ms">'],
  ['names the schedule', '<property name="schedule" value="0123456789abcdef"/>'],
  ['gives the time of the run in seconds', 'time="25.300" timestamp="2026-11-23T22:00:00Z"'],
])('junit.xml %s', (_, text) => {
  expect(xml).toContain(text);
});

it('an interrupted run has an error of its own', () => {
  expect(junitXml({ ...report, interrupted: true })).toContain('name="ran to its end"');
});

it('a run that its cost has ended has a failure of its own', () => {
  const aborted = { objective: 'cost.most', atMs: 2000, reason: 'the sound sent has cost $6' };
  expect(junitXml({ ...report, aborted })).toContain('<failure type="missed" message="the sound sent has cost $6">');
});

it('a passed objective has neither failure nor error', () => {
  const passed = report.objectives.map((one) => ({ ...one, verdict: 'pass' as const }));
  const ok = report.validity.map((one) => ({ ...one, ok: true }));
  const all = junitXml({ ...report, objectives: passed, validity: ok });
  expect(all).toContain('failures="0" errors="0"');
  expect(all).not.toMatch(/<failure|<error/);
});

it('control characters and markup in names cannot break the document', () => {
  const odd = { ...report.objectives[0]!, objective: 'a<b>&"c"\u0001' };
  expect(junitXml({ ...report, objectives: [odd] })).toContain('name="a&lt;b&gt;&amp;&quot;c&quot;\\x01"');
});
