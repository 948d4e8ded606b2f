import type { NodeCommand, StoreCommand } from '../scenario/serve-args.ts';
import { type ServeCommand, type StartOptions, startEmbedded } from './embedded-server.ts';
import { EmbeddedStore } from './embedded-store.ts';
import { KafkaProcess } from './kafka-process.ts';
import { Replicas } from './replicas.ts';
import { ServiceCertificates } from './service-certificates.ts';
import { ServiceDirectory } from './service-directory.ts';
import { ServiceLog } from './service-log.ts';

/** How to run the server, and what stands beside it. */
export type ServiceCommand = ServeCommand & {
  nodes?: NodeCommand | undefined;
  /** Servers of one service, each on a port of its own; default 1. */
  servers?: number | undefined;
  /** Gateways and nodes show certificates of an authority of the test, to one another too. */
  hasTls?: boolean | undefined;
  /** The tenants that its learners belong to. */
  tenants?: ServiceTenants | undefined;
  /** Gateways and nodes are shared out among so many in turn; default 1. */
  zones?: number | undefined;
  /** Present when they share what is needed to resume. */
  store?: StoreCommand | undefined;
  /** So many score later what cannot be finished live; absent: nothing is handed over. */
  workers?: number | undefined;
};

/** What `serve --tenants` reads, and the token of each tenant. */
export type ServiceTenants = { file: string; tokens: Readonly<Record<string, string>> };

/** A service that a test has started: servers that learners connect to, and what they stand on. */
export class EmbeddedService {
  /** Present when sessions can be resumed at another server. */
  store: EmbeddedStore | undefined;
  /** Present when what cannot be finished live is handed over. */
  queue: KafkaProcess | undefined;
  readonly gateways: Replicas;
  readonly nodes: Replicas;
  readonly workers: Replicas;
  /** What gateways and nodes have logged, also those that are gone. */
  readonly log = new ServiceLog();
  /** Present when it is reached by TLS. */
  readonly certificates: ServiceCertificates | undefined;
  readonly #directory = new ServiceDirectory();
  readonly #command: ServiceCommand;

  constructor(command: ServiceCommand) {
    this.#command = command;
    this.certificates = command.hasTls ? new ServiceCertificates(this.#directory) : undefined;
    if (command.tenants) this.#directory.write(tenantsFile, command.tenants.file);
    this.nodes = new Replicas('node', (place, address, options) =>
      startEmbedded(this.#node(address), { ...options, onLog: this.log.writerOf(`node ${place}`) }),
    );
    this.workers = new Replicas('worker', (place, _, options) =>
      startEmbedded(this.#worker(), { ...options, onLog: this.log.writerOf(`worker ${place}`) }),
    );
    this.gateways = new Replicas('gateway', (place, url, options) =>
      startEmbedded(this.#gateway(url), { ...options, onLog: this.log.writerOf(`gateway ${place}`) }),
    );
  }

  /** Where learners connect; more than one with several servers. */
  get urls(): readonly string[] {
    return this.gateways.urls;
  }

  get zones(): number {
    return this.#command.zones ?? 1;
  }

  async start(options: StartOptions): Promise<void> {
    const { store, nodes, servers = 1, workers } = this.#command;
    if (store) this.store = await EmbeddedStore.start(store, options.signal);
    if (workers !== undefined) {
      this.queue = await KafkaProcess.start(topics, options.signal);
      await this.workers.startAll(workers, { startupMs: workerStartupMs, ...options });
    }
    await this.nodes.startAll(nodes?.count ?? 0, options);
    await this.gateways.startAll(servers, options);
  }

  async stop(): Promise<void> {
    await this.gateways.stop();
    await this.nodes.stop();
    await this.workers.stop();
    await this.queue?.stop();
    await this.store?.stop();
    this.#directory.remove();
  }

  #gateway(url: string | undefined): ServeCommand {
    const { args, servers = 1, tenants, ...command } = this.#command;
    const { urls: nodes } = this.nodes;
    return {
      ...command,
      isOneOfSeveral: servers > 1 || nodes.length > 0 || this.queue !== undefined,
      args: [
        ...args,
        ...(url === undefined ? [] : ['--port', new URL(url).port]),
        ...(servers > 1 ? ['--gateways', '1'] : []),
        ...(nodes.length === 0 ? [] : ['--role', 'gateway', '--node', ...nodes]),
        ...(tenants ? ['--tenants', this.#directory.path(tenantsFile)] : []),
        ...(this.certificates?.serverArgs ?? []),
        ...(nodes.length === 0 ? [] : (this.certificates?.trunkArgs ?? [])),
        ...(this.store ? ['--store', this.store.url] : []),
        ...(this.queue ? ['--kafka', this.queue.broker, '--keep-audio', '1h'] : []),
      ],
    };
  }

  #worker(): ServeCommand {
    const { file, args } = this.#command;
    const model = args.indexOf('--model');
    return {
      file,
      isOneOfSeveral: true,
      args: [
        ...[args[0] ?? '', 'worker', ...(model < 0 ? [] : args.slice(model, model + 2))],
        ...(this.store ? ['--store', this.store.url] : []),
        ...(this.queue ? ['--kafka', this.queue.broker] : []),
      ],
    };
  }

  #node(address = '127.0.0.1:0'): ServeCommand {
    const { args, nodes, ...command } = this.#command;
    const [bin = '', verb = ''] = args;
    const own = ['--role', 'inference', '--node-listen', address, ...(nodes?.args ?? [])];
    return { ...command, isOneOfSeveral: true, args: [bin, verb, ...own, ...(this.certificates?.trunkArgs ?? [])] };
  }
}

/**
 * Starts the store, the nodes, then the gateways that score at them; without nodes servers that do
 * all. Error: `server_failed`.
 */
export async function startService(command: ServiceCommand, options: StartOptions = {}): Promise<EmbeddedService> {
  const service = new EmbeddedService(command);
  try {
    await service.start(options);
    return service;
  } catch (error) {
    await service.stop();
    throw error;
  }
}

/** They take what others leave, and all start at once. */
const workerStartupMs = 180_000;
const tenantsFile = 'tenants.yaml';
/** The topics of `serve --kafka`, without a region. */
const topics = ['speechfb.retry.v1', 'speechfb.retry.dlq.v1'];
