import type { ServiceDefinition } from '@grpc/grpc-js';
import { TooManyItems } from './read-items.ts';
import { RequestItems } from './request-items.ts';
import { decodeResponse } from './responses.ts';

/** What a gateway said and the bytes that it lies in, or what is wrong with them. */
export type HeardRequest = { items: RequestItems; bytes: Buffer } | { fault: string };
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
  requestDeserialize: heardRequest,
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
 * Bytes of a message that a gateway takes, as much as a result of the longest text with all that
 * may be asked for: a message beyond would be the end of the trunk, and of the next one, where the
 * text is scored again.
 */
export const mostResponseBytes = 32 * 1024 * 1024;

/** What is thrown here the library answers by a status of its own, and nobody counts it. */
function heardRequest(bytes: Buffer): HeardRequest {
  try {
    return { items: new RequestItems(bytes), bytes };
  } catch (error) {
    return { fault: error instanceof TooManyItems ? error.message : 'it is no TrunkRequest' };
  }
}

/**
 * Bytes that may come on a trunk before its reader says that it wants more: some messages. HTTP/2
 * begins with less than one has at a hundred sessions, and its rest would wait for a word of the
 * reader's, each time.
 */
export const windowBytes = 1024 * 1024;

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
  // Heeded by callers alone.
  'grpc-node.flow_control_window': windowBytes,
  // Nobody asks for the library's own counts of what each message does.
  'grpc.enable_channelz': 0,
} as const;
