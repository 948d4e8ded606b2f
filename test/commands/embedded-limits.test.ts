import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { checkEmbeddedLimits } from '../../src/commands/loadtest/embedded-limits.ts';
import { formatError, SpeechfbError } from '../../src/errors.ts';
import { readScenario } from '../../src/load/scenario/scenario.ts';
import { temporaryDirectory } from '../kit/temporary-directory.ts';

/** What is said of a scenario whose target is this; undefined: nothing. */
function saidOf(target: string): string | undefined {
  const file = join(temporaryDirectory(), 'limits.yaml');
  const clips = resolve('fixtures/audio/manifest.jsonl');
  writeFileSync(
    file,
    `apiVersion: speechfb.dev/v1alpha1
kind: LoadScenario
metadata: { name: limits }
spec:
  target: ${target}
  learners: { clips: ${clips} }
  load: { learners: 1 }
  duration: 10s
  objectives: ['availability >= 99%']
`,
  );
  const scenario = readScenario(file);
  try {
    checkEmbeddedLimits(scenario);
    return undefined;
  } catch (error) {
    if (!(error instanceof SpeechfbError)) throw error;
    return formatError(error);
  }
}

describe('limits of the server that a scenario starts', () => {
  it.each([
    [
      '{ embedded: { limits: { min_gap_wait_ms: 600 } } }',
      '5:52',
      'limits.min_gap_wait_ms: min_gap_wait_ms (600) is more',
    ],
    [
      '{ embedded: { limits: { max_open_phones: 10 } } }',
      '5:52',
      'limits.max_open_phones: max_text_phones (8000) is more',
    ],
    [
      '{ embedded: { maxSessions: 2000, limits: { max_connections: 1000 } } }',
      '5:38',
      'maxSessions: max_sessions (2000) is more than max_connections (1000)',
    ],
    [
      '{ embedded: { limits: { max_connections: 9, max_sessions: 10 } } }',
      '5:69',
      'limits.max_sessions: max_sessions (10) is more than max_connections (9)',
    ],
    [
      '{ embedded: { maxSessions: 10, limits: { max_sessions: 20 } } }',
      '5:66',
      'limits.max_sessions: 20 contradicts maxSessions (10)',
    ],
    [
      '{ embedded: { resumeTtl: 5s, limits: { resume_ttl_ms: 1 } } }',
      '5:65',
      'limits.resume_ttl_ms: 1 contradicts resumeTtl (5000)',
    ],
    [
      '{ embedded: { limits: { heartbeat_ms: 100, pings_per_second: 5 } } }',
      '5:49',
      'limits.heartbeat_ms: heartbeat_ms (100) asks every client for 10 pongs a second',
    ],
  ])('that contradict one another are told at their place: %s', (target, place, sentence) => {
    const said = saidOf(target);
    expect(said).toContain(`limits.yaml:${place}: spec.target.embedded.${sentence}`);
  });

  it('are all told at once', () => {
    const said = saidOf('{ embedded: { limits: { min_gap_wait_ms: 600, fixed_sessions: 500 } } }');
    expect(said).toContain('min_gap_wait_ms (600)');
    expect(said).toContain('fixed_sessions (500)');
  });

  it.each([
    '{ embedded: { maxSessions: 2000 } }',
    '{ embedded: { maxSessions: 10, limits: { max_sessions: 10, max_connections: 20 } } }',
    '{ embedded: { limits: { max_connections: 20 } } }',
    '{}',
    '{ url: "ws://127.0.0.1:9/v1/stream" }',
  ])('that can all hold are not spoken of: %s', (target) => {
    expect(saidOf(target)).toBeUndefined();
  });
});
