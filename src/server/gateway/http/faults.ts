import type { IncomingMessage } from 'node:http';
import { z } from 'zod';
import type { EngineFault } from '../../../acoustic/engine/types.ts';
import { isForwarded } from '../../admission/address.ts';
import { isLoopback } from '../../admission/exposure.ts';

export const faultsPath = '/faults/inference';

/** The answer to `POST /faults/inference`. */
export type FaultAnswer = { status: number; code: string; message: string } | { status: 202; fault: EngineFault };

/**
 * Lets a load test stall or kill the model's thread, or disturb its runs. `inject` is absent unless
 * the server was started for that, and only programs of this machine are heard: what it does hurts
 * every session.
 * Behind a proxy of this machine everybody is on loopback, and so are pages in its browsers.
 */
export async function answerFault(
  request: IncomingMessage,
  inject: ((fault: EngineFault) => boolean) | undefined,
): Promise<FaultAnswer> {
  if (!inject) return forbidden('the server was started without --fault-injection');
  const address = (request.socket.remoteAddress ?? '').replace(/^::ffff:/, '');
  if (!isLoopback(address)) return forbidden('faults are taken from this machine alone');
  if (isForwarded(request)) return forbidden('faults are not taken through a proxy');
  if (request.headers.origin !== undefined) return forbidden('faults are not taken from pages');
  const text = await readBody(request);
  const fault = text === undefined ? undefined : parseFault(text);
  if (!fault) return { status: 400, code: 'invalid_message', message: allowedText };
  if (!inject(fault)) return { status: 503, code: 'server_busy', message: 'the model has no thread yet' };
  return { status: 202, fault };
}

function forbidden(message: string): FaultAnswer {
  return { status: 403, code: 'forbidden', message };
}

const schema = z.discriminatedUnion('action', [
  z.strictObject({ action: z.literal('stall'), ms: z.number().min(1).max(60_000) }),
  z.strictObject({ action: z.literal('kill') }),
  z.strictObject({ action: z.literal('fail') }),
  z.strictObject({
    action: z.literal('slow'),
    ms: z.number().min(1).max(60_000),
    times: z.number().min(1).max(100),
  }),
]);
const allowedText =
  'the body is not {"action": "stall", "ms": 1 to 60000}, {"action": "kill"}, {"action": "fail"} or {"action": "slow", "ms": 1 to 60000, "times": 1 to 100}';

function parseFault(text: string): EngineFault | undefined {
  try {
    return schema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/** The body of a request; undefined when it is longer than any fault. */
async function readBody(request: IncomingMessage): Promise<string | undefined> {
  let text = '';
  for await (const chunk of request) {
    text += String(chunk);
    if (text.length > maxBodyLength) return undefined;
  }
  return text;
}

const maxBodyLength = 1000;
