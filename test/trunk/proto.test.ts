import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import { trunkMinor } from '../../src/trunk/wire/service.ts';
import { TrunkRequestSchema, TrunkResponseSchema } from '../../src/trunk/wire/speechfb/v1/inference_pb.ts';
import { temporaryDirectory } from '../kit/temporary-directory.ts';

const root = resolve(import.meta.dirname, '../..');
const generated = 'speechfb/v1/inference_pb.ts';

/** Runs buf in the project; throws with what it says. */
function buf(...args: string[]): string {
  return execFileSync(process.execPath, ['node_modules/@bufbuild/buf/bin/buf', ...args], {
    cwd: root,
    encoding: 'utf8',
    env: { ...process.env, PATH: `${join(root, 'node_modules/.bin')}:${process.env.PATH}` },
  });
}

describe('the protocol of a trunk', () => {
  it('is written by the rules of buf', () => {
    expect(buf('lint')).toBe('');
  });

  it('breaks nothing that was released', () => {
    expect(buf('breaking', 'proto', '--against', 'proto-released')).toBe('');
  });

  it('is what the generated code says', () => {
    const directory = temporaryDirectory();
    buf('generate', '--template', JSON.stringify({ version: 'v2', plugins: [plugin(directory)] }));
    const made = readFileSync(join(directory, generated), 'utf8');
    expect(readFileSync(join(root, 'src/trunk/wire', generated), 'utf8')).toBe(made);
  });

  it('lets a peer of a later minor say what this one does not know', () => {
    // Field 99 of an item, and field 77 of a hello, as a later minor would write them.
    const item = [0x0a, 0x03, 0x98, 0x06, 0x01];
    const hello = [0x0a, 0x07, 0x0a, 0x05, 0x08, 0x02, 0xe8, 0x04, 0x01];
    const { items } = fromBinary(TrunkRequestSchema, Uint8Array.from([...item, ...hello]));
    expect(items.map((read) => read.item.case)).toEqual([undefined, 'hello']);
    expect(items[1]!.item.value).toMatchObject({ minor: 2 });
  });

  it('reads a hello of an earlier minor, whose missing fields are empty', () => {
    const hello = { minor: trunkMinor - 1, node: 'old', slots: 4 };
    const bytes = toBinary(
      TrunkResponseSchema,
      create(TrunkResponseSchema, { items: [{ item: { case: 'hello', value: hello } }] }),
    );
    expect(fromBinary(TrunkResponseSchema, bytes).items[0]!.item).toMatchObject({ value: { ...hello, region: '' } });
  });

  function plugin(out: string) {
    return { local: 'protoc-gen-es', out, opt: ['target=ts', 'import_extension=ts'] };
  }
});
