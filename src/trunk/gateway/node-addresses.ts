import { lookup } from 'node:dns/promises';
import { SpeechfbError } from '../../errors.ts';

/** Where nodes are looked for, as `--node` names them. */
export type NodeSource = { kind: 'address'; address: string } | { kind: 'dns'; name: string; port: number };

/**
 * Reads `host:port`, `unix:/path` or `dns:name:port`, all addresses of a name, as a headless
 * service of Kubernetes has.
 * @throws SpeechfbError `bad_flag`
 */
export function parseNodeSource(text: string, flag = '--node'): NodeSource {
  if (/^unix:\/.+$/.test(text)) return { kind: 'address', address: text };
  const [, dns, host, port] = /^(dns:)?(\[[0-9a-f:.]+\]|[^:/\s[\]]+):(\d{1,5})$/i.exec(text) ?? [];
  const number = Number(port);
  if (host === undefined || !(number >= 1 && number <= 65_535)) {
    throw new SpeechfbError('bad_flag', `${flag} "${text}" is no node`, {
      hint: 'allowed: host:port, unix:/path, or dns:name:port for all addresses of a name',
    });
  }
  return dns ? { kind: 'dns', name: host, port: number } : { kind: 'address', address: `${host}:${number}` };
}

/** All addresses that a name has now. */
export type Resolve = (name: string) => Promise<readonly string[]>;

/**
 * The nodes that the sources name now. A name that cannot be resolved keeps the addresses that it
 * had: an outage of the name service must not take the nodes away.
 */
export class NodeAddresses {
  readonly #sources: readonly NodeSource[];
  readonly #resolve: Resolve;
  readonly #known = new Map<NodeSource, readonly string[]>();

  constructor(sources: readonly NodeSource[], resolve: Resolve = resolveAll) {
    this.#sources = sources;
    this.#resolve = resolve;
  }

  /** Whether they can change. */
  get areNames(): boolean {
    return this.#sources.some(({ kind }) => kind === 'dns');
  }

  async find(): Promise<readonly string[]> {
    const found = await Promise.all(this.#sources.map((source) => this.#of(source)));
    return [...new Set(found.flat())];
  }

  async #of(source: NodeSource): Promise<readonly string[]> {
    if (source.kind === 'address') return [source.address];
    try {
      const hosts = await this.#resolve(source.name);
      this.#known.set(
        source,
        hosts.map((host) => `${host.includes(':') ? `[${host}]` : host}:${source.port}`),
      );
    } catch {
      // The addresses of before hold.
    }
    return this.#known.get(source) ?? [];
  }
}

async function resolveAll(name: string): Promise<readonly string[]> {
  return (await lookup(name, { all: true })).map(({ address }) => address);
}
