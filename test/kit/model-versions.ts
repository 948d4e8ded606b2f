import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const shipped = resolve(import.meta.dirname, '../../models/en-learner');

/** What of a model.json may be otherwise. */
type ModelJson = {
  version: string;
  phones: string[];
  onnx_cpu?: string;
  calibration?: string;
  [field: string]: unknown;
};

/**
 * Other versions of the shipped model, each a package of its own in `directory`. `float`: the float
 * network in place of the integer one; `shuffled`: the outputs are taken for those of other phones, as
 * a slip while a model is packed leaves it, so that it hears next to nothing of what is read.
 */
export const modelVersions = {
  float({ onnx_cpu: _, ...model }: ModelJson) {
    return { ...model, version: '9.0.0' };
  },
  shuffled({ calibration: _, phones, ...model }: ModelJson) {
    return { ...model, phones: [...phones.slice(7), ...phones.slice(0, 7)], version: '9.1.0' };
  },
} satisfies Record<string, (model: ModelJson) => object>;

/** Writes a package that has the shipped one's files, and gives its folder. */
export function writeModel(directory: string, name: string, change: (model: ModelJson) => unknown): string {
  const folder = join(directory, name);
  mkdirSync(folder);
  for (const file of ['model.onnx', 'model.cpu.onnx', 'calibration.json'])
    symlinkSync(join(shipped, file), join(folder, file));
  const model: ModelJson = JSON.parse(readFileSync(join(shipped, 'model.json'), 'utf8'));
  const written = change(model);
  writeFileSync(join(folder, 'model.json'), typeof written === 'string' ? written : JSON.stringify(written));
  return folder;
}
