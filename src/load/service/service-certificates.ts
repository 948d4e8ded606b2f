import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FaultyCertificates } from '../fault/definition.ts';
import { newAuthority, type Pair } from './authority.ts';

/** The certificates of a service that a test has started, in files of its own until it is over. */
export class ServiceCertificates implements FaultyCertificates {
  /** PEM: whom learners and the ends of trunks are to trust. */
  readonly authority: string;
  readonly #directory = mkdtempSync(join(tmpdir(), 'speechfb-certificates-'));
  readonly #authority = newAuthority('speechfb load test');
  /** One key for all: a renewal changes one file, which is never half of another pair. */
  readonly #pair: Pair = this.#authority.issue();

  constructor() {
    this.authority = this.#authority.certificate;
    this.#write('authority.pem', this.authority);
    this.#write('service.key', this.#pair.key);
    this.#write('service.pem', this.#pair.certificate);
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

  remove(): void {
    rmSync(this.#directory, { recursive: true, force: true });
  }

  #issue(untilMs: number): void {
    const { certificate } = this.#authority.issue({ untilMs, key: this.#pair.key });
    this.#write('service.pem.new', certificate);
    renameSync(this.#path('service.pem.new'), this.#path('service.pem'));
  }

  #write(name: string, text: string): void {
    writeFileSync(this.#path(name), text, { mode: 0o600 });
  }

  #path(name: string): string {
    return join(this.#directory, name);
  }
}

/** Servers look at their files each second; they refuse what has expired already. */
const takenUpMs = 2000;
const hourMs = 3_600_000;
