import type { FaultyCertificates } from '../fault/definition/definition.ts';
import { newAuthority, type Pair } from './authority.ts';
import type { ServiceDirectory } from './service-directory.ts';

/** The certificates of a service that a test has started, in files that it reads. */
export class ServiceCertificates implements FaultyCertificates {
  /** PEM: whom learners and the ends of trunks are to trust. */
  readonly authority: string;
  readonly #directory: ServiceDirectory;
  readonly #authority = newAuthority('speechfb load test');
  /** One key for all: a renewal changes one file, which is never half of another pair. */
  readonly #pair: Pair = this.#authority.issue();

  constructor(directory: ServiceDirectory) {
    this.#directory = directory;
    this.authority = this.#authority.certificate;
    directory.write('authority.pem', this.authority);
    directory.write('service.key', this.#pair.key);
    directory.write('service.pem', this.#pair.certificate);
  }

  /** Flags of a server that learners reach by TLS. */
  get serverArgs(): string[] {
    return ['--tls-cert', this.#path('service.pem'), '--tls-key', this.#path('service.key')];
  }

  /** Flags of both ends of a trunk. */
  get trunkArgs(): string[] {
    const [certificate, key] = [this.#path('service.pem'), this.#path('service.key')];
    return ['--node-cert', certificate, '--node-key', key, '--node-ca', this.#path('authority.pem')];
  }

  expireSoon(): void {
    this.#issue(Date.now() + takenUpMs);
  }

  renew(): void {
    this.#issue(Date.now() + hourMs);
  }

  #issue(untilMs: number): void {
    const { certificate } = this.#authority.issue({ untilMs, key: this.#pair.key });
    this.#directory.write('service.pem', certificate);
  }

  #path(name: string): string {
    return this.#directory.path(name);
  }
}

/** Servers look at their files each second; they refuse what has expired already. */
const takenUpMs = 2000;
const hourMs = 3_600_000;
