import { fileURLToPath } from 'node:url';
import { parseDocuments } from '../config/documents.ts';
import { readText } from '../config/read-chunks.ts';
import { badConfig } from '../config/yaml.ts';
import { type Mapping, streamProtocol } from './mapping-schema.ts';

/** Mappings that ship, by name. */
export const shippedMappings = ['vosk', 'sherpa-onnx', 'assemblyai-v3', 'funasr', 'deepgram-flux'] as const;

/**
 * The mapping of a name that ships, or of a file. Throws `unreadable_file` or `bad_config` with
 * every problem at its line.
 */
export function readMapping(nameOrFile: string): Mapping {
  const shipped = shippedMappings.some((name) => name === nameOrFile);
  const file = shipped ? fileURLToPath(new URL(`../../protocols/${nameOrFile}.yaml`, import.meta.url)) : nameOrFile;
  const [first, second] = parseDocuments(file, readText(file, 'protocol'), 'StreamProtocol', streamProtocol);
  if (second)
    throw badConfig(file, [{ where: second.at(['metadata', 'name']), message: 'is a second StreamProtocol' }]);
  return first!.value;
}
