import { create, fromBinary, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import type { MethodDefinition, ServiceDefinition } from '@grpc/grpc-js';
import {
  type GatewayItemSchema,
  type NodeItemSchema,
  type TrunkRequest,
  TrunkRequestSchema,
  type TrunkResponse,
  TrunkResponseSchema,
} from './speechfb/v1/inference_pb.ts';

/** One thing that a gateway says, its messages as plain objects. */
export type GatewayItem = NonNullable<MessageInitShape<typeof GatewayItemSchema>['item']>;

/** One thing that a node says, its messages as plain objects. */
export type NodeItem = NonNullable<MessageInitShape<typeof NodeItemSchema>['item']>;

/** The minor of the protocol that this program speaks: one more with each item or field added. */
export const trunkMinor = 1;

const trunk: MethodDefinition<TrunkRequest, TrunkResponse> = {
  path: '/speechfb.v1.InferenceService/Trunk',
  requestStream: true,
  responseStream: true,
  requestSerialize: (request) => bufferOf(toBinary(TrunkRequestSchema, request)),
  requestDeserialize: (bytes) => fromBinary(TrunkRequestSchema, bytes),
  responseSerialize: (response) => bufferOf(toBinary(TrunkResponseSchema, response)),
  responseDeserialize: (bytes) => fromBinary(TrunkResponseSchema, bytes),
};

/** `speechfb.v1.InferenceService` of proto/speechfb/v1/inference.proto, for @grpc/grpc-js. */
export const inferenceService = { trunk } satisfies ServiceDefinition;

export function trunkRequest(items: readonly GatewayItem[]): TrunkRequest {
  return create(TrunkRequestSchema, { items: items.map((item) => ({ item })) });
}

export function trunkResponse(items: readonly NodeItem[]): TrunkResponse {
  return create(TrunkResponseSchema, { items: items.map((item) => ({ item })) });
}

/**
 * What both ends of a trunk set: no retries of a stream (the channel would keep what was written),
 * a keepalive that notices a peer whose machine is gone, and bounds on what a peer may send.
 */
export const channelOptions = {
  'grpc.enable_retries': 0,
  'grpc.keepalive_time_ms': 10_000,
  'grpc.keepalive_timeout_ms': 5000,
  'grpc.max_receive_message_length': 4 * 1024 * 1024,
  'grpc.max_metadata_size': 8 * 1024,
} as const;

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
