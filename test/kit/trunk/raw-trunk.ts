import { Client, credentials, type StatusObject } from '@grpc/grpc-js';
import { onTestFinished } from 'vitest';
import type { InferenceNode } from '../../../src/trunk/node/inference-node.ts';
import type { HeardNodeItem } from '../../../src/trunk/wire/items.ts';
import { type HeardResponse, inferenceService } from '../../../src/trunk/wire/service.ts';

/** A trunk to a node on which any bytes may be sent; `unread`: what the node says is left to lie. */
export function rawTrunk(to: InferenceNode, read: 'read' | 'unread' = 'read') {
  const { trunk } = inferenceService;
  const client = new Client(to.address, credentials.createInsecure());
  onTestFinished(() => client.close());
  const raw = (bytes: Uint8Array) => Buffer.from(bytes);
  const call = client.makeBidiStreamRequest(trunk.path, raw, trunk.responseDeserialize);
  const heard: HeardNodeItem[] = [];
  let isOver = false;
  const ended = new Promise<StatusObject>((resolve) => call.on('status', resolve));
  void ended.then(() => {
    isOver = true;
  });
  call.on('error', () => {});
  if (read === 'read') call.on('data', ({ items }: HeardResponse) => heard.push(...items.map(({ item }) => item)));
  return { call, heard, ended, isOver: () => isOver };
}
