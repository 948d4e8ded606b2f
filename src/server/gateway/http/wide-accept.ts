import { fork, type SendHandle } from 'node:child_process';
import type { Server as HttpServer } from 'node:http';
import { createServer, type Server } from 'node:net';
import { workerUrl } from '../../../threads/worker-url.ts';
import type { Limits } from '../../limits.ts';
import { closeListener } from './listener.ts';

/**
 * Lets a listener take many connections in each turn of the event loop. libuv takes one a turn from
 * each descriptor (since its 1.45; libuv/libuv#3696), so that in a server whose turns are long,
 * which a busy one's are, a hundred callers wait a hundred turns for their refusal. Each further
 * descriptor of the same socket is asked each turn, too. Node has no `dup`: another process is sent
 * the socket, sends it back as often as it is told, and ends. Where that fails all is as before.
 */
export class WideAccept {
  readonly #http: HttpServer;
  readonly #copies: number;
  readonly #servers: Server[] = [];
  #state: 'narrow' | 'asked' | 'closed' = 'narrow';
  #giveUp = (): void => {};
  /** Connections that are there. */
  #open = 0;

  constructor(http: HttpServer, { acceptsATurn }: Pick<Limits, 'acceptsATurn'>) {
    this.#http = http;
    this.#copies = acceptsATurn - 1;
    http.on('connection', (socket) => {
      this.#open += 1;
      socket.once('close', () => {
        this.#open -= 1;
      });
      if (this.#open >= busyFrom) this.#widen();
    });
  }

  /** How many connections are taken a turn. */
  get width(): number {
    return 1 + this.#servers.length;
  }

  /** Ends everything that came in by it, too. */
  async close(): Promise<void> {
    this.#state = 'closed';
    this.#giveUp();
    const closed = this.#servers.map((server) => new Promise<void>((resolve) => void server.close(() => resolve())));
    await Promise.all([closeListener(this.#http), ...closed]);
  }

  #widen(): void {
    const handle = (this.#http as Listening)._handle;
    if (this.#state !== 'narrow' || this.#copies === 0 || !handle) return;
    this.#state = 'asked';
    const echo = fork(workerUrl(import.meta.url, 'handle-echo.js'), {
      // What this process was started with (a debugger's port among it) is nothing for that one.
      execArgv: [],
      env: {},
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    });
    this.#giveUp = () => void echo.kill('SIGKILL');
    echo.on('error', this.#giveUp);
    // Without a descriptor to spare there is no channel either.
    if (!echo.channel) return;
    echo.on('message', (_, copy) => {
      this.#add(copy);
      if (this.#servers.length === this.#copies) this.#giveUp();
    });
    const timer = setTimeout(this.#giveUp, patienceMs).unref();
    echo.once('exit', () => clearTimeout(timer));
    // A handle, and no server: that one would listen as well, and take connections with it.
    echo.send(this.#copies, handle, { keepOpen: true }, (error) => error && this.#giveUp());
    echo.unref();
    echo.channel.unref();
  }

  #add(copy: unknown): void {
    const server = createServer({ allowHalfOpen: true, noDelay: true });
    server.on('error', () => {});
    server.on('connection', (socket) => this.#http.emit('connection', socket));
    server.listen(copy);
    if (this.#state === 'closed') server.close();
    else this.#servers.push(server);
  }
}

/** What Node sends between processes of a server that listens. */
type Listening = { _handle?: SendHandle };

/** With fewer connections no turn is long. */
const busyFrom = 20;
/** How long the other process may take; it starts while this one is busy. */
const patienceMs = 30_000;
