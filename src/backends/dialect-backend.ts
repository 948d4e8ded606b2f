import { type Credentials, dialectLinks } from '../client/dialect-links.ts';
import type { TlsOptions } from '../client/link/websocket-connection.ts';
import type { Dialect } from '../dialects/dialect.ts';
import type { BackendKind } from '../routing/policy/capabilities.ts';
import type { SecretUrl } from '../secret-url.ts';
import type { Backend, Hearing, HearingEvents, HearingInput } from './backend.ts';
import { DialectHearing } from './dialect-hearing.ts';
import type { Time } from './time.ts';

export type DialectBackendOptions = {
  name: string;
  kind: Extract<BackendKind, 'deepgram' | 'openai-realtime'>;
  dialect: Dialect;
  url: SecretUrl;
  credentials: Credentials;
  tls?: TlsOptions | undefined;
  time: Time;
};

/**
 * A recogniser of another vendor: one connection a session, spoken to as our load tests do. A
 * connection that is lost is an error of its hearing; who routes sessions opens another.
 */
export function dialectBackend(options: DialectBackendOptions): Backend {
  return new DialectBackend(options);
}

class DialectBackend implements Backend {
  readonly name: string;
  readonly kind: BackendKind;
  readonly #options: DialectBackendOptions;
  /** The connections of hearings that have just been closed are among them. */
  readonly #hearings = new Set<DialectHearing>();
  #ticking = false;
  readonly #whenEmpty: (() => void)[] = [];

  constructor(options: DialectBackendOptions) {
    this.name = options.name;
    this.kind = options.kind;
    this.#options = options;
  }

  open(input: HearingInput, on: HearingEvents): Hearing {
    const { name, dialect, url, credentials, tls, time } = this.#options;
    const { session, language, reference = '' } = input;
    const dialectSession = {
      session,
      language,
      reference: { text: reference },
      sampleRateHz: dialect.audio.sampleRateHz,
    };
    const headers = { ...url.authorization, ...credentials.headers };
    const links = dialectLinks(
      { url: url.href, token: undefined, tls, credentials: { ...credentials, headers } },
      dialect.connect(dialectSession),
      { clock: time.now },
    );
    const hide = (text: string): string => url.hide(text);
    const hearing = new DialectHearing({
      name,
      host: url.hostname,
      dialect,
      session: dialectSession,
      sampleRateHz: input.sampleRateHz,
      links,
      secrets: credentials.secrets,
      hide,
      time,
      on,
      onOver: () => this.#over(hearing),
    });
    this.#hearings.add(hearing);
    hearing.begin();
    this.#tick();
    return hearing;
  }

  async close(): Promise<void> {
    for (const hearing of [...this.#hearings]) hearing.close();
    if (this.#hearings.size === 0) return;
    await new Promise<void>((resolve) => this.#whenEmpty.push(resolve));
  }

  #over(hearing: DialectHearing): void {
    this.#hearings.delete(hearing);
    if (this.#hearings.size === 0) for (const resolve of this.#whenEmpty.splice(0)) resolve();
  }

  /** Once a second, while somebody is heard. */
  #tick(): void {
    if (this.#ticking) return;
    this.#ticking = true;
    const { time } = this.#options;
    time.at(time.now() + tickMs, () => {
      this.#ticking = false;
      for (const hearing of this.#hearings) hearing.tick();
      if (this.#hearings.size > 0) this.#tick();
    });
  }
}

const tickMs = 1000;
