import { Socket } from 'node:net';
import { onTestFinished } from 'vitest';
import { SupervisorLink } from '../../../src/server/cluster/link.ts';
import type { ToGateway, ToSupervisor } from '../../../src/server/cluster/messages.ts';
import { limitsOfOne } from '../../../src/server/cluster/shares.ts';
import type { GatewayProcess } from '../../../src/server/cluster/slot.ts';
import { Supervisor } from '../../../src/server/cluster/supervisor.ts';
import { type RunningServer, type ServerOptions, startServer } from '../../../src/server/gateway/server.ts';
import { defaultLimits, type Limits } from '../../../src/server/limits.ts';
import { createLog } from '../../../src/telemetry/log.ts';
import { scriptedEngine, scriptedScoring } from './scripted.ts';

const log = createLog('silent', { write() {} });

type TestGateway = {
  readonly server: RunningServer;
  /** Ends as `kill -9` does: nothing is said, and what it had is gone. */
  kill(): void;
  /** Hears and says nothing, as after SIGSTOP, until the function that this gives is called. */
  pause(): () => void;
};

export type Gateways = {
  readonly url: string;
  readonly supervisor: Supervisor;
  /** The gateway that has this number now. */
  gateway(number: number): TestGateway;
};

/**
 * Several gateways behind one port, all in this process and with the scripted scoring; what they and their supervisor say
 * to one another is copied, as between processes.
 */
export async function serveSeveral(
  count: number,
  { limits = {}, ...options }: Partial<ServerOptions> = {},
): Promise<Gateways> {
  const all: Limits = { ...defaultLimits, ...limits };
  const gateways = new Map<number, TestGateway>();
  const launch = (gateway: number): GatewayProcess => {
    const line = new Line();
    const link = new SupervisorLink({
      gateway,
      channel: line,
      onDrain: async () => {
        const report = await (await starting).drain();
        setTimeout(() => line.end('exit code 0'), 20);
        return report;
      },
      onTrouble: (error) => {
        throw error;
      },
    });
    const starting = startServer({
      engine: scriptedEngine(),
      scoring: scriptedScoring,
      log,
      version: '0.0.0-test',
      ...options,
      limits: limitsOfOne(all, count),
      supervision: link,
      cores: 4,
    });
    const kill = (): void => {
      line.end('SIGKILL');
      link.close();
      void starting.then((server) => server.close());
    };
    void starting.then((server) => {
      gateways.set(gateway, { server, kill, pause: () => line.pause() });
      line.send({ type: 'warm', model: { name: 'scripted', version: '1', provider: 'test', whyNotNative: undefined } });
    });
    return line.processOf(kill);
  };
  const supervisor = new Supervisor({
    gateways: count,
    launch,
    limits: all,
    tokens: options.tokens?.size ?? 0,
    host: '127.0.0.1',
    port: 0,
    isSecure: options.tls !== undefined,
    log,
    caps: options.caps,
  });
  onTestFinished(() => supervisor.close());
  await supervisor.listen();
  await supervisor.ready;
  return { url: supervisor.url, supervisor, gateway: (number) => gateways.get(number)! };
}

/** What a supervisor and a gateway say to each other; a message arrives in a later turn of the event loop. */
class Line {
  readonly #toGateway: [ToGateway, Socket | undefined][] = [];
  readonly #toSupervisor: ToSupervisor[] = [];
  readonly exited: Promise<string>;
  #hearGateway: (message: ToSupervisor) => void = () => {};
  #hearSupervisor: (message: ToGateway, socket: Socket | undefined) => void = () => {};
  #exit: (why: string) => void = () => {};
  #hasEnded = false;
  #isPaused = false;

  constructor() {
    this.exited = new Promise((resolve) => {
      this.#exit = resolve;
    });
  }

  send(message: ToSupervisor): void {
    this.#toSupervisor.push(structuredClone(message));
    this.#later();
  }

  listen(on: (message: ToGateway, socket: Socket | undefined) => void): void {
    this.#hearSupervisor = on;
  }

  processOf(kill: () => void): GatewayProcess {
    return {
      send: (message, handle) => {
        // A descriptor of the port would be the supervisor's own here.
        this.#toGateway.push([structuredClone(message), handle instanceof Socket ? handle : undefined]);
        this.#later();
      },
      listen: (on) => {
        this.#hearGateway = on;
      },
      exited: this.exited,
      kill,
    };
  }

  end(why: string): void {
    this.#hasEnded = true;
    this.#exit(why);
  }

  pause(): () => void {
    this.#isPaused = true;
    return () => {
      this.#isPaused = false;
      this.#later();
    };
  }

  #later(): void {
    setImmediate(() => {
      if (this.#hasEnded || this.#isPaused) return;
      for (const [message, socket] of this.#toGateway.splice(0)) this.#hearSupervisor(message, socket && moved(socket));
      for (const message of this.#toSupervisor.splice(0)) this.#hearGateway(message);
    });
  }
}

/** The connection as another process would have it: the first socket, destroyed later, no longer is it. */
function moved(socket: Socket): Socket {
  const holder = socket as unknown as { _handle: object | null };
  const handle = holder._handle;
  holder._handle = null;
  return new Socket({ handle, readable: true, writable: true } as ConstructorParameters<typeof Socket>[0]);
}
