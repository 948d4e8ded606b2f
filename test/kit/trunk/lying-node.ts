import { Server, ServerCredentials, type ServerDuplexStream } from '@grpc/grpc-js';
import { onTestFinished } from 'vitest';
import type { HeardGatewayItem, SentNodeItem } from '../../../src/trunk/wire/items.ts';
import { type HeardRequest, inferenceService } from '../../../src/trunk/wire/service.ts';
import { encodeResponses, itemsOf } from './items.ts';

/** What a node answers to the opening, the sound and the end of an utterance, beside a grant. */
export type Lies = Partial<Record<'open' | 'sound' | 'finish', (utterance: number) => readonly SentNodeItem[]>>;

/**
 * A node of the scripted model that grants every lease, says that it has a thousand slots more than
 * anybody, and then lies.
 */
export async function lyingNode(lies: Lies, slots = 1000) {
  const opened: number[] = [];
  const server = new Server();
  server.addService(inferenceService, { trunk: (call: ServerDuplexStream<HeardRequest, Buffer>) => serve(call) });
  const port = await new Promise<number>((resolve, reject) => {
    const listening = (error: Error | null, bound: number) => (error ? reject(error) : resolve(bound));
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), listening);
  });
  onTestFinished(() => server.forceShutdown());
  return { address: `127.0.0.1:${port}`, opened };

  function serve(call: ServerDuplexStream<HeardRequest, Buffer>): void {
    const say = (...items: readonly SentNodeItem[]) => call.write(Buffer.concat(encodeResponses(items)));
    const model = { name: 'scripted', version: '0', sampleRate: 16_000 };
    say({ case: 'hello', value: { minor: 1, node: 'liar', model, slots, leaseTtlMs: 5000, windowSamples: 480_000 } });
    const load = () => say({ case: 'load', value: { free: 1_000_000 } });
    load();
    const timer = setInterval(load, 200);
    for (const end of ['end', 'cancelled', 'error']) call.on(end, () => clearInterval(timer));
    let lease = 0;
    const answer = (item: HeardGatewayItem): readonly SentNodeItem[] => {
      switch (item.case) {
        case 'acquire':
          lease += 1;
          return [{ case: 'granted', value: { request: item.value.request, lease } }];
        case 'open':
          opened.push(item.value.utterance);
          return lies.open?.(item.value.utterance) ?? [];
        case 'sound':
        case 'finish':
          return lies[item.case]?.(item.value.utterance) ?? [];
        default:
          return [];
      }
    };
    call.on('data', (heard: HeardRequest) => {
      if ('fault' in heard) return;
      for (const { item } of itemsOf(heard.items, heard.bytes)) say(...answer(item));
    });
  }
}
