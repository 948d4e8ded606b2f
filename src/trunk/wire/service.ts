import type { ServiceDefinition } from '@grpc/grpc-js';
import { decodeRequest, decodeResponse } from './codec.ts';

export type HeardRequest = ReturnType<typeof decodeRequest>;
export type HeardResponse = ReturnType<typeof decodeResponse>;

/** The minor of the protocol that this program speaks: one more with each item or field added. */
export const trunkMinor = 3;

/** As HTTP/2 has it, `/service/method`. */
export const trunkMethod = '/speechfb.v1.InferenceService/Trunk';

const trunk = {
  path: trunkMethod,
  requestStream: true,
  responseStream: true,
  requestSerialize: (bytes: Buffer) => bytes,
  requestDeserialize: decodeRequest,
  responseSerialize: (bytes: Buffer) => bytes,
  responseDeserialize: decodeResponse,
};

/**
 * `speechfb.v1.InferenceService` of proto/speechfb/v1/inference.proto, for @grpc/grpc-js. What is
 * sent is bytes already: a stream that waits would else keep the parts of a message, and whoever
 * made them could not use their memory again.
 */
export const inferenceService = { trunk } satisfies ServiceDefinition;

/**
 * What both ends of a trunk set: no retries of a stream (the channel would keep what was written),
 * a keepalive that notices a peer whose machine is gone, and bounds on what a peer may send.
 */
export const channelOptions = {
  'grpc.enable_retries': 0,
  'grpc.initial_reconnect_backoff_ms': 100,
  // Else a node that was away for minutes is missed for two more.
  'grpc.max_reconnect_backoff_ms': 2000,
  'grpc.keepalive_time_ms': 10_000,
  'grpc.keepalive_timeout_ms': 5000,
  'grpc.max_receive_message_length': 4 * 1024 * 1024,
  'grpc.max_metadata_size': 8 * 1024,
} as const;
