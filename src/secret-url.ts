import { SpeechfbError } from './errors.ts';
import { hideSecrets, redactUrl } from './redact.ts';

/**
 * The text with every `${env:NAME}` filled in from the environment: for values that may be secrets,
 * which no file should hold. Throws `unset_variable`, also for `${NAME}`, which shells fill in and
 * this does not.
 */
export function fromEnvironment(given: string, env: Environment = process.env): string {
  return given.replace(/\$\{([^}]*)\}/g, (reference, inner: string) => {
    const name = /^env:(\w+)$/.exec(inner)?.[1];
    if (name === undefined) {
      const write = /^\w+$/.test(inner) ? `\${env:${inner}}` : '${env:NAME}';
      throw new SpeechfbError('unset_variable', `"${reference}" is not filled in; write ${write}`);
    }
    const value = env[name];
    if (value) return value;
    const what = value === undefined ? 'is not set' : 'is empty';
    throw new SpeechfbError(
      'unset_variable',
      `the environment variable ${name} ${what}, which ${reference} stands for`,
    );
  });
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Which URLs a thing may have: `[schemes, what it is called, how one is written]`. */
const kinds = {
  websocket: [['ws:', 'wss:'], 'a WebSocket URL', 'ws://host:port, wss://host:port'],
  stream: [
    ['ws:', 'wss:', 'grpc:', 'grpcs:'],
    'a WebSocket URL, nor one of gRPC',
    'ws://host:port, wss://host:port, grpc://host:port, grpcs://host:port',
  ],
  prometheus: [['http:', 'https:'], 'the URL of a Prometheus', 'http://host:port, https://'],
  http: [['http:', 'https:'], 'an HTTP URL', 'http://host:port, https://'],
  redis: [
    ['redis:', 'rediss:', 'redis+sentinel:', 'rediss+sentinel:', 'redis+cluster:', 'rediss+cluster:'],
    'the URL of a Redis',
    'redis://host:port/0, redis+sentinel://host:port,host:port/NAME, redis+cluster://host:port,host:port, rediss...: with TLS',
  ],
} as const;

/**
 * A URL that may hold secrets: whatever makes text of it, JSON and templates too, gets it without
 * them, and only who connects asks for the rest. `${env:NAME}` in it is read from the environment,
 * and shown as it was written.
 */
export class SecretUrl {
  readonly #url: URL;
  /** The hosts behind the first one, each as a URL. */
  readonly #others: readonly URL[];
  readonly #shown: string;
  readonly #secrets: readonly string[];

  /** Throws `bad_url` or `unset_variable`, and quotes no secret. */
  static parse(given: string, kind: keyof typeof kinds, env?: Environment): SecretUrl {
    const text = fromEnvironment(given, env);
    const [first, ...hosts] = kind === 'redis' ? urlsOfHosts(text) : [text];
    const [url, ...others] = [first!, ...hosts].map((one) => (URL.canParse(one) ? new URL(one) : undefined));
    const [schemes, what, allowed] = kinds[kind];
    const shown = redactUrl(text === given && others.length === 0 ? (url?.host ? url.href : given) : given);
    if (!url?.host || !schemes.some((scheme) => scheme === url.protocol) || !others.every((other) => other?.host))
      throw new SpeechfbError('bad_url', `"${redactUrl(given)}" is not ${what}; allowed: ${allowed}`);
    const whole = text === given ? [] : [text, ...valuesIn(given, text)];
    const hidden = [...whole, ...secretsIn(url)];
    return new SecretUrl(
      url,
      shown,
      hidden,
      others.filter((other) => other !== undefined),
    );
  }

  private constructor(url: URL, shown: string, secrets: readonly string[], others: readonly URL[] = []) {
    this.#url = url;
    this.#others = others;
    this.#shown = shown;
    this.#secrets = secrets;
  }

  /** Where to connect, with its query and without user and password; never to be shown. */
  get href(): string {
    const bare = new URL(this.#url);
    bare.username = '';
    bare.password = '';
    return bare.href;
  }

  /** The header that its user and password are sent in (RFC 7617). */
  get authorization(): { authorization?: string } {
    const { username, password } = this.#url;
    if (username === '' && password === '') return {};
    const pair = `${decoded(username)}:${decoded(password)}`;
    return { authorization: `Basic ${Buffer.from(pair).toString('base64')}` };
  }

  get isSecure(): boolean {
    return /^(wss|https|grpcs|rediss(\+\w+)?):$/.test(this.#url.protocol);
  }

  get isGrpc(): boolean {
    return /^grpcs?:$/.test(this.#url.protocol);
  }

  get hasUser(): boolean {
    return this.#url.username !== '' || this.#url.password !== '';
  }

  get hasFragment(): boolean {
    return this.#url.hash !== '';
  }

  /** Without the brackets of an IPv6 address. */
  get hostname(): string {
    return this.#url.hostname.replace(/^\[|\]$/g, '');
  }

  /** Undefined: that of the scheme. */
  get port(): number | undefined {
    return this.#url.port === '' ? undefined : Number(this.#url.port);
  }

  /** All hosts, the first one too, without the brackets of IPv6 addresses. */
  get hosts(): readonly { hostname: string; port: number | undefined }[] {
    return [this, ...this.#others.map((other) => new SecretUrl(other, '', []))].map(({ hostname, port }) => ({
      hostname,
      port,
    }));
  }

  /** Without its colon. */
  get scheme(): string {
    return this.#url.protocol.slice(0, -1);
  }

  get path(): string {
    return this.#url.pathname;
  }

  /** Decoded; may hold secrets. */
  get query(): readonly (readonly [name: string, value: string])[] {
    const parts = this.#url.search.slice(1).split('&').filter(Boolean);
    return parts.map((part) => {
      const [name = '', ...value] = part.split('=');
      return [decoded(name), decoded(value.join('='))];
    });
  }

  /** The user name and the password, decoded, for those who connect. */
  get user(): { name: string | undefined; password: string | undefined } {
    const { username, password } = this.#url;
    return { name: decoded(username) || undefined, password: decoded(password) || undefined };
  }

  /** URLs of gRPC have an empty path where those of WebSockets have `/`. */
  get hasPath(): boolean {
    return !['', '/'].includes(this.#url.pathname);
  }

  get hasQuery(): boolean {
    return this.#url.search !== '';
  }

  /** The same URL with `path` below its own. */
  below(path: string): SecretUrl {
    const url = new URL(this.#url);
    url.pathname = `${url.pathname.replace(/\/+$/, '')}${path}`;
    const [, place = '', query = ''] = /^([^?#]*?)\/*([?#].*)?$/.exec(this.#shown) ?? [];
    return new SecretUrl(url, `${place}${path}${query}`, this.#secrets);
  }

  /** What another program said, without the secrets of this URL. */
  hide(text: string): string {
    const sent = this.authorization.authorization?.replace('Basic ', '') ?? '';
    return hideSecrets(text, [...this.#secrets, sent]);
  }

  toString(): string {
    return this.#shown;
  }

  toJSON(): string {
    return this.#shown;
  }
}

/**
 * A URL of several hosts as one URL a host: `x://user@a:1,b:2/path` as `x://user@a:1/path` and
 * `x://b:2`.
 */
function urlsOfHosts(text: string): string[] {
  const [, scheme = '', user = '', hosts = '', rest = ''] =
    /^([a-z][a-z0-9+.-]*:\/\/)([^/?#]*@)?([^/?#@]*)(.*)$/is.exec(text.trim()) ?? [];
  const [first, ...others] = hosts.split(',');
  return others.length === 0 ? [text] : [`${scheme}${user}${first}${rest}`, ...others.map((host) => scheme + host)];
}

/** What the references of `given` stand for in `text`. */
function valuesIn(given: string, text: string): string[] {
  const pattern = given
    .split(/\$\{[^}]*\}/)
    .map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
    .join('([^]*)');
  return new RegExp(`^${pattern}$`).exec(text)?.slice(1) ?? [];
}

/** The secrets of a URL, both as they are written in it and decoded. */
function secretsIn(url: URL): string[] {
  const parts = url.search
    .slice(1)
    .split('&')
    .map((part) => part.slice(part.indexOf('=') + 1));
  const user = url.password === '' ? url.username : url.password;
  return [user, url.hash.slice(1), ...parts].flatMap((secret) => [secret, decoded(secret)]);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
