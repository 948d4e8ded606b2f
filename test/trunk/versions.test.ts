import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createFileRegistry, type DescMessage, fromBinary, type Message, toBinary } from '@bufbuild/protobuf';
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import {
  Client,
  type ClientDuplexStream,
  credentials,
  Server,
  ServerCredentials,
  type ServerDuplexStream,
} from '@grpc/grpc-js';
import { describe, expect, it, onTestFinished } from 'vitest';
import { inferenceService } from '../../src/trunk/wire/service.ts';
import { TrunkRequestSchema, TrunkResponseSchema } from '../../src/trunk/wire/speechfb/v1/inference_pb.ts';
import { temporaryDirectory } from '../kit/temporary-directory.ts';
import { node, pool, reader, until } from '../kit/trunk/service.ts';

/** What becomes of a message on its way. */
type Way = (bytes: Buffer, schema: 'TrunkRequest' | 'TrunkResponse') => Uint8Array;

/** Both messages by the schema of the last release: all that a peer of that release reads and writes. */
function released(): Way {
  const root = resolve(import.meta.dirname, '../..');
  const file = join(temporaryDirectory(), 'released.binpb');
  const buf = 'node_modules/@bufbuild/buf/bin/buf';
  execFileSync(process.execPath, [buf, 'build', 'proto-released', '-o', file], { cwd: root });
  const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, readFileSync(file)));
  return (bytes, name) => {
    const schema = registry.getMessage(`speechfb.v1.${name}`)!;
    return toBinary(schema, asMinor(fromBinary(schema, bytes, { readUnknownFields: false }), 1));
  };
}

/** Both messages as a peer writes them that knows a field more in each, and an item more. */
const later: Way = (bytes, name) => {
  const schema: DescMessage = name === 'TrunkRequest' ? TrunkRequestSchema : TrunkResponseSchema;
  const message = asMinor(fromBinary(schema, bytes), 9);
  for (const each of [message, ...message.items.flatMap((item) => [item, item.item.value])]) {
    each.$unknown = [...(each.$unknown ?? []), { no: 99, wireType: 0, data: Uint8Array.of(1) }];
  }
  // An item of field 98, with nothing in it.
  return Buffer.concat([toBinary(schema, message), Uint8Array.of(0x0a, 0x03, 0x92, 0x06, 0x00)]);
};

type Items = Message & { items: (Message & { item: { case: string; value: Message & { minor?: number } } })[] };

function asMinor(message: Message, minor: number): Items {
  const read = message as Items;
  for (const { item } of read.items) if (item.case === 'hello') item.value.minor = minor;
  return read;
}

describe('a gateway and a node of different releases', () => {
  it.each([
    ['the last release, which knows no lanes,', released],
    ['a later one, which says more', () => later],
  ])('score together when the other is of %s', async (_, make) => {
    const way = make();
    const behind = await node();
    const gateway = await pool([await relay(behind.address, way)]);
    const learner = reader(gateway, 'a', undefined, { canWait: true });
    learner.speak(1000);
    await until(() => learner.heardMs() === 1000);
    learner.utterance.gap(100);
    // More than a window, so that credit has to come.
    for (let at = 0; at < 40; at += 1) learner.speak(1000);
    await until(() => learner.heardMs() === 41_100);
    const { words } = await learner.utterance.finish();
    expect(words.flatMap(({ phonemes }) => phonemes)).toHaveLength(20);
    expect(learner.finals()).toHaveLength(20);
    expect(learner.errors).toEqual([]);
    gateway.leave('a');
    await until(() => behind.slots().free === 4);
  });
});

/** Stands between a gateway and a node, and changes what both say. */
async function relay(to: string, way: Way): Promise<{ address: string }> {
  const { trunk } = inferenceService;
  const client = new Client(to, credentials.createInsecure());
  const asIs = (bytes: Buffer) => bytes;
  const server = new Server();
  const service = { trunk: { ...trunk, requestDeserialize: asIs } };
  server.addService(service, {
    trunk(from: ServerDuplexStream<Buffer, Uint8Array>) {
      const call: ClientDuplexStream<Buffer, Buffer> = client.makeBidiStreamRequest(trunk.path, asIs, asIs);
      from.on('data', (bytes: Buffer) => call.write(Buffer.from(way(bytes, 'TrunkRequest'))));
      from.on('end', () => call.end());
      from.on('cancelled', () => call.cancel());
      call.on('data', (bytes: Buffer) => from.write(Buffer.from(way(bytes, 'TrunkResponse'))));
      call.on('error', () => from.end());
    },
  });
  const port = await new Promise<number>((resolve, reject) => {
    const listening = (error: Error | null, bound: number) => (error ? reject(error) : resolve(bound));
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), listening);
  });
  onTestFinished(() => {
    client.close();
    server.forceShutdown();
  });
  return { address: `127.0.0.1:${port}` };
}
