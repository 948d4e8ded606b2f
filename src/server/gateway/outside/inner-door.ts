import type { IncomingMessage, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Caller } from '../../admission/accounts.ts';
import type { Limits } from '../../limits.ts';
import { createSecret, sameSecret } from '../../secrets.ts';
import { closeListener, createListener } from '../http/listener.ts';
import type { Door } from './supervision.ts';

/** The headers of a socket that is passed on: who may pass it on, and for whom. */
export function passingHeaders({ secret }: Door, caller: Caller): Record<string, string> {
  const who = Buffer.from(JSON.stringify(caller)).toString('base64url');
  return { authorization: `Bearer ${secret}`, [callerHeader]: who };
}

export type PassedOn = { request: IncomingMessage; socket: Duplex; head: Buffer; caller: Caller };

/**
 * Where the other gateways of this server pass sockets on: a port of loopback, and a secret that
 * lives as long as this process. Whoever does not show it is cut without a word.
 */
export class InnerDoor {
  readonly secret = createSecret(32);
  readonly #http: Server;

  constructor(limits: Limits, onSocket: (passed: PassedOn) => void) {
    this.#http = createListener(undefined, limits);
    this.#http.on('request', (_, response) => response.destroy());
    this.#http.on('clientError', (_, socket) => socket.destroy());
    this.#http.on('upgrade', (request, socket, head) => {
      const caller = this.#callerOf(request);
      if (caller) onSocket({ request, socket, head, caller });
      else socket.destroy();
    });
  }

  get port(): number {
    return (this.#http.address() as AddressInfo).port;
  }

  listen(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#http.once('error', reject);
      this.#http.listen(0, '127.0.0.1', resolve);
    });
  }

  close(): Promise<void> {
    return closeListener(this.#http);
  }

  #callerOf({ headers }: IncomingMessage): Caller | undefined {
    if (!sameSecret(headers.authorization ?? '', `Bearer ${this.secret}`)) return undefined;
    return JSON.parse(Buffer.from(String(headers[callerHeader]), 'base64url').toString());
  }
}

const callerHeader = 'x-speechfb-caller';
