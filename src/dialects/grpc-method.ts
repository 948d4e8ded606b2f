import protobuf from 'protobufjs';
import type { GrpcMethod } from './dialect.ts';

/** A method of gRPC whose two sides stream, as plain data that crosses to another process. */
export type GrpcCall = {
  /** `/package.Service/Method`. */
  path: string;
  /** Full names of its messages. */
  request: string;
  response: string;
  /** All types of its .proto, in the JSON form of protobufjs. */
  types: protobuf.INamespace;
};

/** Makes the method of a call. */
export function grpcMethod({ path, request, response, types }: GrpcCall): GrpcMethod {
  const root = protobuf.Root.fromJSON(types).resolveAll();
  const requests = root.lookupType(request);
  const responses = root.lookupType(response);
  return {
    path,
    encode: (message) => requests.encode(requests.fromObject(message as Record<string, unknown>)).finish(),
    decode: (bytes) => {
      try {
        return JSON.stringify(responses.toObject(responses.decode(bytes), asJson), asRead);
      } catch {
        return undefined;
      }
    },
  };
}

const asJson: protobuf.IConversionOptions = {
  longs: Number,
  enums: String,
  bytes: String,
  defaults: true,
  arrays: true,
};

/** Messages that were not set come as null, and floats as the nearest double. */
function asRead(_key: string, value: unknown): unknown {
  if (value === null) return undefined;
  if (isTime(value)) return value.seconds + value.nanos / 1e9;
  return typeof value === 'number' && !Number.isInteger(value) ? asWritten(value) : value;
}

/** The shortest decimal that is the same float: 0.7 for the float 0.7, which is a bit less. */
function asWritten(value: number): number {
  if (Math.fround(value) !== value) return value;
  for (let digits = 6; digits < 9; digits++) {
    const shorter = Number(value.toPrecision(digits));
    if (Math.fround(shorter) === value) return shorter;
  }
  return value;
}

/** A Duration, a Timestamp, or a message of the same two fields. */
function isTime(value: unknown): value is { seconds: number; nanos: number } {
  if (typeof value !== 'object' || value === null || Object.keys(value).length !== 2) return false;
  const { seconds, nanos } = value as { seconds?: unknown; nanos?: unknown };
  return typeof seconds === 'number' && typeof nanos === 'number';
}
