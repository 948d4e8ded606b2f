import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { main } from '../../src/cli.ts';
import { captureOutput } from '../kit/command.ts';
import { temporaryDirectory } from '../kit/temporary-directory.ts';

const output = captureOutput();
const audio = resolve('fixtures/audio/unlock.wav');

/** Exit code of `loadtest --validate` on clips of these texts and languages. */
async function validate(clips: readonly { text: string; language?: string }[], ...flags: string[]): Promise<number> {
  const folder = temporaryDirectory();
  const lines = clips.map((clip, i) => JSON.stringify({ id: `c${i}`, audio, ...clip }));
  writeFileSync(join(folder, 'clips.jsonl'), lines.join('\n'));
  const scenario = join(folder, 'scenario.yaml');
  writeFileSync(
    scenario,
    `apiVersion: speechfb.dev/v1alpha1
kind: LoadScenario
metadata: { name: fit }
spec:
  learners: { clips: clips.jsonl }
  load: { learners: 2 }
  duration: 5s
  objectives: ['p95(feedback_latency) < 500ms']
`,
  );
  return await main(['loadtest', scenario, '--validate', ...flags]);
}

describe('clips for the server that the test starts', () => {
  it.each([
    [{ text: 'To lock, or unlock' }],
    [{ text: 'To lock, or unlock', language: 'en-GB' }],
    [{ text: 'caf\u00e9', language: 'EN' }],
  ])('%j is taken', async (clip) => {
    expect(await validate([clip])).toBe(0);
  });

  it.each([
    [{ text: 'Guten Morgen', language: 'de-DE' }, 'clip "c0": language: "de-DE" is not that of the model, en'],
    [{ text: '\u4f60\u597d' }, 'clip "c0": text: '],
    [{ text: '\u041f\u0440\u0438\u0432\u0435\u0442' }, 'clip "c0": text: '],
    [{ text: '...' }, 'clip "c0": text: '],
  ])('%j is refused before anything starts', async (clip, message) => {
    expect(await validate([clip])).toBe(2);
    expect(output.stderr).toContain(message);
    expect(output.stderr).toContain('[bad_manifest]');
  });

  it('all that are unfit are told, and a server elsewhere may take them', async () => {
    const clips = [{ text: 'Hola', language: 'es-ES' }, { text: 'Hello' }, { text: 'Bonjour', language: 'fr' }];
    expect(await validate(clips)).toBe(2);
    expect(output.stderr.match(/clip "c[02]"/g)).toEqual(['clip "c0"', 'clip "c2"']);
    expect(await validate(clips, '--url', 'ws://127.0.0.1:9')).toBe(0);
  });
});
