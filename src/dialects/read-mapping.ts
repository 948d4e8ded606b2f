import { existsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseDocuments } from '../config/documents.ts';
import { readText } from '../config/read-chunks.ts';
import { badConfig } from '../config/yaml.ts';
import { grpcMappingProblems } from './grpc-mapping-checks.ts';
import type { GrpcCall } from './grpc-method.ts';
import { type Mapping, streamProtocol } from './mapping-schema.ts';
import { readProto } from './read-proto.ts';

/** Mappings that ship, by name. */
export const shippedMappings = ['vosk', 'sherpa-onnx', 'assemblyai-v3', 'funasr', 'deepgram-flux', 'riva'] as const;

/** A mapping, and the call that it makes where it is of gRPC; plain data. */
export type ReadMapping = Mapping & { call?: GrpcCall };

/**
 * The mapping of a name that ships, or of a file, with the .proto that it names. Throws
 * `unreadable_file` or `bad_config` with every problem at its line.
 */
export function readMapping(nameOrFile: string): ReadMapping {
  const shipped = shippedMappings.some((name) => name === nameOrFile);
  const file = shipped ? fileURLToPath(new URL(`../../protocols/${nameOrFile}.yaml`, import.meta.url)) : nameOrFile;
  const [first, second] = parseDocuments(file, readText(file, 'protocol'), 'StreamProtocol', streamProtocol);
  if (second)
    throw badConfig(file, [{ where: second.at(['metadata', 'name']), message: 'is a second StreamProtocol' }]);
  const { value, at } = first!;
  const { grpc } = value.spec;
  if (!grpc) return value;
  const proto = resolve(dirname(file), grpc.proto);
  if (!existsSync(proto))
    throw badConfig(file, [
      { where: at(['spec', 'grpc', 'proto']), message: `spec.grpc.proto: "${grpc.proto}" is not there` },
    ]);
  const checked = grpcMappingProblems(value.spec, grpc, readProto(proto));
  if ('call' in checked) return { ...value, call: checked.call };
  throw badConfig(
    file,
    checked.problems.map(({ path, message }) => ({
      where: at(['spec', ...path]),
      message: `spec.${path.map(String).join('.')}: ${message}`,
    })),
  );
}
