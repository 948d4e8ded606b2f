import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createDialect, dialectSpec } from '../../src/dialects/catalogue.ts';
import { temporaryDirectory } from '../kit/temporary-directory.ts';

const scratch = temporaryDirectory();
let modules = 0;

function moduleOf(text: string): string {
  const file = join(scratch, `module-${++modules}.mjs`);
  writeFileSync(file, text);
  return file;
}

const parts = `name: 'acme', audio: { encoding: 'pcm_s16le', sampleRateHz: 8000, messageMs: 40 },
  tells: { reach: 'final', partials: false }, connect: () => ({ path: '/x' }), speaker: () => ({ readyAtOnce: true })`;

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
  ])('%s is said in a sentence', (_, text, sentence) => {
    const file = text === undefined ? join(scratch, 'nowhere.mjs') : moduleOf(text);
    expect(() => dialectSpec(file)).toThrow(sentence);
  });
});
