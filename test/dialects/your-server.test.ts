import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { protocolNameProblem } from '../../src/dialects/catalogue.ts';
import { readMapping } from '../../src/dialects/read-mapping.ts';
import { readScenario } from '../../src/load/scenario/scenario.ts';
import { temporaryDirectory } from '../kit/temporary-directory.ts';

const page = readFileSync('docs/your-server.md', 'utf8');
const blocks = [...page.matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, text]) => text!);
const kept = (text: string) => {
  const file = join(temporaryDirectory(), 'page.yaml');
  writeFileSync(file, text.replace('fixtures/audio', join(process.cwd(), 'fixtures/audio')));
  return file;
};

it('has a mapping and a scenario on its page that are right as they stand there', () => {
  const [scenario, mapping] = ['LoadScenario', 'StreamProtocol'].map((kind) =>
    blocks.find((text) => text.includes(`kind: ${kind}`)),
  );
  expect(readMapping(kept(mapping!)).metadata.name).toBe('acme');
  expect(readScenario(kept(scenario!)).spec.target.protocol).toBe('deepgram');
});

it('shows the mapping of Riva as it ships', () => {
  const shown = blocks.find((text) => text.includes('name: riva'))!;
  const file = kept(shown.replace('./riva.proto', join(process.cwd(), 'protocols/riva.proto')));
  const { connect, open, audio, utteranceOver } = readMapping(file).spec;
  const shipped = readMapping('riva').spec;
  expect({ connect, audio, utteranceOver }).toEqual({
    connect: shipped.connect,
    audio: shipped.audio,
    utteranceOver: shipped.utteranceOver,
  });
  expect(open[0]).toMatchObject({ send: { streaming_config: { interim_results: true } } });
});

/** As the error lists them. */
const names = /allowed: (.*), the path/.exec(protocolNameProblem('none of them')!)![1]!.split(', ');

it.each(names)('has a row for %s', (name) => {
  expect(page).toMatch(new RegExp(`\\n\\| [^|]*\\| \`${name}\``));
});

it('names every key of the mappings that ship', () => {
  const keys = readdirSync('protocols').flatMap((file) => [
    ...readFileSync(join('protocols', file), 'utf8').matchAll(/^ {2}(\w+):/gm),
  ]);
  for (const [, key] of keys) expect(page).toContain(`\`${key}\``);
});
