import { type AdminTokens, parseAdminTokens } from '../../admin/admin-tokens.ts';
import type { FrontProxy } from '../../admin/front-proxy.ts';
import { checkAdminExposure } from '../../admin/guard.ts';
import { AdminPlane } from '../../admin/plane.ts';
import type { AdminTarget } from '../../admin/target.ts';
import { AuditLog } from '../../audit/log.ts';
import { SpeechfbError } from '../../errors.ts';
import { certificatesIn } from '../../server/admission/pem.ts';
import { readTokenText } from '../../server/admission/tokens.ts';
import type { Log } from '../../telemetry/log.ts';
import { defer } from '../../threads/defer.ts';
import type { AdminFlags } from './flags/admin-flags.ts';
import { parseListenAddress } from './flags/listen-address.ts';
import { readPem } from './roles.ts';
import { parseHost, readTls } from './settings.ts';

/** What the flags say of the admin plane; all files but the log have been read. */
export type AdminSettings = {
  host: string;
  port: number;
  tokens: AdminTokens;
  tls: { certificate: string; key: string } | undefined;
  frontProxy: FrontProxy | undefined;
  hosts: readonly string[];
  auditLog: string | undefined;
};

/**
 * Undefined: there is to be none.
 * @throws SpeechfbError `bad_flag`, `bad_token_file`, `bad_tls`, `unsafe_host`
 */
export function adminSettingsOf(flags: AdminFlags): AdminSettings | undefined {
  const { adminListen, adminTokenFile, auditLog, allowHost = [] } = flags;
  if (adminListen === undefined) {
    const { adminTlsCert, adminTlsKey, frontProxyCa, frontProxyName } = flags;
    const strays = {
      '--admin-token-file': adminTokenFile,
      '--audit-log': auditLog,
      '--admin-tls-cert': adminTlsCert,
      '--admin-tls-key': adminTlsKey,
      '--front-proxy-ca': frontProxyCa,
      '--front-proxy-name': frontProxyName,
    };
    const stray = Object.entries(strays).find(([, value]) => value !== undefined)?.[0];
    if (stray === undefined) return undefined;
    throw new SpeechfbError('bad_flag', `${stray} is for an admin plane`, { hint: 'add --admin-listen HOST:PORT' });
  }
  if (adminTokenFile === undefined) {
    const hint = 'one "name role token" a line; make a token with: openssl rand -base64 24';
    throw new SpeechfbError('bad_flag', '--admin-listen needs --admin-token-file FILE', { hint });
  }
  const { hostname: host, port } = parseListenAddress('--admin-listen', adminListen);
  const tokens = parseAdminTokens(readTokenText(adminTokenFile), adminTokenFile);
  const tls = tlsOf(flags);
  checkAdminExposure(host, tls !== undefined);
  const frontProxy = frontProxyOf(flags, tls !== undefined);
  return { host, port, tokens, tls, frontProxy, hosts: allowHost.map(parseHost), auditLog };
}

/** Its own pair, so that a balancer may end the TLS of learners and operators still have theirs. */
function tlsOf({ adminTlsCert, adminTlsKey, tlsCert, tlsKey }: AdminFlags): AdminSettings['tls'] {
  const own = readTls(adminTlsCert, adminTlsKey, 'admin-tls');
  return own ?? readTls(tlsCert, tlsKey);
}

function frontProxyOf(
  { frontProxyCa: file, frontProxyName: names = [] }: AdminFlags,
  isSecure: boolean,
): FrontProxy | undefined {
  if (file === undefined) {
    if (names.length === 0) return undefined;
    throw new SpeechfbError('bad_flag', '--front-proxy-name needs --front-proxy-ca beside it');
  }
  if (!isSecure) {
    const hint = 'add --admin-tls-cert and --admin-tls-key: a front proxy is known by its certificate';
    throw new SpeechfbError('bad_tls', '--front-proxy-ca needs TLS', { hint });
  }
  const name = `--front-proxy-ca ${file}`;
  const ca = readPem(name, file);
  certificatesIn(ca, name);
  return { ca, names };
}

/**
 * The admin plane of a server that is being started, and the log that it writes; both may be none.
 */
export class Admin implements AsyncDisposable {
  readonly #settings: AdminSettings | undefined;
  readonly #audit: AuditLog | undefined;
  readonly #log: Log;
  readonly #left = defer<void>();
  #plane: AdminPlane | undefined;
  #hasLeft = false;

  /**
   * Opens the log, before anything is served.
   * @throws SpeechfbError `audit_broken`, `audit_in_use`, `audit_unwritable`
   */
  static async open(settings: AdminSettings | undefined, log: Log): Promise<Admin> {
    const file = settings?.auditLog;
    const audit = file === undefined ? undefined : await AuditLog.open(file);
    if (audit?.healed) {
      log.warn({ file, ...audit.healed }, 'a crash had left the audit log with an unfinished line, which was cut off');
    }
    return new Admin(settings, audit, log);
  }

  private constructor(settings: AdminSettings | undefined, audit: AuditLog | undefined, log: Log) {
    this.#settings = settings;
    this.#audit = audit;
    this.#log = log;
  }

  /** The log of what is changed; undefined: nobody asked for one. */
  get audit(): AuditLog | undefined {
    return this.#audit;
  }

  /** Resolves when an operator has the server go away. */
  get left(): Promise<void> {
    return this.#left.promise;
  }

  get hasLeft(): boolean {
    return this.#hasLeft;
  }

  readonly leave = (): void => {
    this.#hasLeft = true;
    this.#left.resolve();
  };

  /** @throws SpeechfbError `port_in_use`, `cannot_listen`, `bad_tls` */
  async listen(target: AdminTarget): Promise<void> {
    if (!this.#settings) return;
    this.#plane = await AdminPlane.start({ ...this.#settings, target, audit: this.#audit, log: this.#log });
    const start = {
      actor: 'speechfb',
      action: 'serve.start',
      target: target.role,
      diff: { version: target.version, pid: process.pid },
      reason: 'the server has started',
    };
    await this.#audit?.append(start).catch((error: Error) => {
      this.#log.error({ error: error.message }, 'the audit log cannot be written: operators can change nothing');
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#plane?.close();
    await this.#audit?.close();
  }
}
