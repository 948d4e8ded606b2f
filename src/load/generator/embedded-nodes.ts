import type { NodeCommand } from '../scenario/serve-args.ts';
import { type EmbeddedServer, type ServeCommand, type StartOptions, startEmbedded } from './embedded-server.ts';

/** A server that a test has started, with the inference nodes beside it, if it has any. */
export type EmbeddedService = EmbeddedServer & { nodes: Pick<EmbeddedNodes, 'signal' | 'start'> };

/** How to run the server, and its nodes where it has some. */
export type ServiceCommand = ServeCommand & { nodes?: NodeCommand | undefined };

/**
 * Starts the nodes, then the gateway that scores at them; without nodes the server alone. Error:
 * `server_failed`.
 */
export async function startService(command: ServiceCommand, options: StartOptions = {}): Promise<EmbeddedService> {
  const nodes = new EmbeddedNodes(command);
  try {
    await nodes.startAll(options);
    const flags = nodes.addresses.length === 0 ? [] : ['--role', 'gateway', '--node', ...nodes.addresses];
    const server = await startEmbedded({ ...command, args: [...command.args, ...flags] }, options);
    return withNodes(server, nodes);
  } catch (error) {
    await nodes.stop();
    throw error;
  }
}

function withNodes(server: EmbeddedServer, nodes: EmbeddedNodes): EmbeddedService {
  return {
    url: server.url,
    pid: server.pid,
    exited: server.exited,
    nodes,
    pause: () => server.pause(),
    resume: () => server.resume(),
    async stop() {
      await server.stop();
      await nodes.stop();
    },
  };
}

/** The inference nodes beside a gateway; the first is node 1. */
class EmbeddedNodes {
  readonly #command: ServiceCommand;
  readonly #nodes: EmbeddedServer[] = [];
  readonly #starting = new Set<Promise<void>>();
  #isOver = false;

  constructor(command: ServiceCommand) {
    this.#command = command;
  }

  /** Where gateways find them. */
  get addresses(): readonly string[] {
    return this.#nodes.map(({ url }) => url);
  }

  async startAll(options: StartOptions): Promise<void> {
    const count = this.#command.nodes?.count ?? 0;
    const started = Array.from({ length: count }, () => this.#run('127.0.0.1:0', options));
    for (const node of await Promise.allSettled(started)) {
      if (node.status === 'fulfilled') this.#nodes.push(node.value);
      else throw node.reason;
    }
  }

  /** Signals a node; why it could not, or undefined. */
  signal(node: number, signal: 'SIGKILL' | 'SIGSTOP' | 'SIGCONT' | 'SIGTERM'): string | undefined {
    const found = this.#nodes[node - 1];
    if (!found) return `the server has no node ${node}`;
    if (signal === 'SIGSTOP') return found.pause() ? undefined : `node ${node} is gone`;
    if (signal === 'SIGCONT') return found.resume() ? undefined : `node ${node} is gone`;
    try {
      process.kill(found.pid, signal);
      return undefined;
    } catch {
      return `node ${node} is gone`;
    }
  }

  /** Starts a node again at its address, when it is gone. */
  start(node: number): void {
    const gone = this.#nodes[node - 1];
    if (!gone || this.#isOver) return;
    const starting: Promise<void> = gone.exited
      .then(() => (this.#isOver ? gone : this.#run(gone.url, {})))
      .then(
        (started) => {
          this.#nodes[node - 1] = started;
        },
        // A node that does not come back is missed by the gateway, and that is measured.
        () => {},
      )
      .finally(() => this.#starting.delete(starting));
    this.#starting.add(starting);
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.#starting);
    await Promise.all(this.#nodes.map((node) => node.stop()));
  }

  #run(address: string, options: StartOptions): Promise<EmbeddedServer> {
    const { file, nodes } = this.#command;
    const [bin = '', verb = ''] = this.#command.args;
    const own = ['--role', 'inference', '--node-listen', address, '--log-level', 'error', ...(nodes?.args ?? [])];
    return startEmbedded({ file, args: [bin, verb, ...own] }, options);
  }
}
