import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createDialect, dialectSpec } from '../../src/dialects/catalogue.ts';
import { temporaryDirectory } from '../kit/temporary-directory.ts';

const scratch = temporaryDirectory();
let modules = 0;

function moduleOf(text: string): string {
  const file = join(scratch, `module-${++modules}.mjs`);
  writeFileSync(file, `${speaker}\n${text}`);
  return file;
}

const parts = `name: 'acme', audio: { encoding: 'pcm_s16le', sampleRateHz: 8000, messageMs: 40 },
  tells: { reach: 'final', partials: false }, connect: () => ({ path: '/x' }), speaker: () => speaker`;
const speaker = `const speaker = { readyAtOnce: true, opened: () => [], audio: (sound, index) => sound.at(index),
  utteranceOver: () => [], next: () => [], quiet: () => [], close: () => [], heard: () => [{ is: 'nothing' }] };`;

describe('a dialect in a module', () => {
  it.each([
    ['an object', `export default { ${parts} };`],
    ['a function of its options', `export default (options) => ({ ${parts}, name: options.name });`],
  ])('is %s', (_, text) => {
    const read = dialectSpec(moduleOf(text), { name: 'acme' });
    if ('problems' in read || !read.spec) throw new Error('it has problems');
    // It crosses to the processes that make the load.
    expect(createDialect(structuredClone(read.spec)).name).toBe('acme');
  });

  it.each([
    ['that is not there', undefined, 'cannot be loaded'],
    ['that is no JavaScript', 'export default {', 'cannot be loaded'],
    ['that throws', 'throw new Error("no luck");', 'cannot be loaded: no luck'],
    ['that exports nothing', 'export const a = 1;', 'its default export is no object'],
    [
      'whose function throws',
      'export default () => { throw new Error("no model"); };',
      'makes no dialect of its options: no model',
    ],
    ['without a name', `export default { ${parts}, name: 7 };`, 'name is no text'],
    ['with an odd encoding', `export default { ${parts}, audio: { encoding: 'opus' } };`, 'audio.encoding is none of'],
    ['without a rate', `export default { ${parts}, audio: { encoding: 'mulaw' } };`, 'audio.sampleRateHz is no number'],
    ['that reaches nowhere', `export default { ${parts}, tells: {} };`, 'tells.reach is none of'],
    ['that connects nowhere', `export default { ${parts}, connect: '/x' };`, 'connect is no function'],
    ['that nobody speaks', `export default { ${parts}, speaker: null };`, 'speaker is no function'],
    ['that asks for nothing', `export default { ${parts}, connect: () => 7 };`, 'connect gives no object'],
    ['that cannot end', `delete speaker.close; export default { ${parts} };`, 'speaker(...).close is no function'],
    [
      'that breaks when it opens',
      `speaker.opened = () => { throw new Error('no key'); }; export default { ${parts} };`,
      'speaker(...).opened throws: no key',
    ],
    [
      'that breaks at its first sound',
      `speaker.audio = (sound) => sound.nowhere(); export default { ${parts} };`,
      'speaker(...).audio throws: sound.nowhere is not a function',
    ],
    [
      'that says what is no list',
      `speaker.utteranceOver = () => 'bye'; export default { ${parts} };`,
      'speaker(...).utteranceOver gives no list of messages',
    ],
  ])('%s is said in a sentence', (_, text, sentence) => {
    const file = text === undefined ? join(scratch, 'nowhere.mjs') : moduleOf(text);
    expect(() => dialectSpec(file)).toThrow(sentence);
  });

  it.each([
    ['cannot read', 'speaker.heard = (message) => [JSON.parse(message)];', /^heard throws: Unexpected token/],
    ['takes for nothing that there is', 'speaker.heard = () => null;', /^heard gives no list/],
  ])('understands no message that it %s', (_, code, problem) => {
    const read = dialectSpec(moduleOf(`${code} export default { ${parts} };`));
    if ('problems' in read || !read.spec) throw new Error('it has problems');
    const { sampleRateHz } = createDialect(read.spec).audio;
    const session = { sampleRateHz, language: 'en-US', reference: { text: 'a' }, session: 's' };
    expect(createDialect(read.spec).speaker(session).heard('<html>')).toEqual([
      { is: 'not understood', problem: expect.stringMatching(problem) },
    ]);
  });
});
