import type { Clock } from '../clock/wheel.ts';
import type { ConnectRequest } from '../dialects/dialect.ts';
import { grpcLinks } from './link/grpc-link.ts';
import type { OpenLink, SimulatedDevice } from './link/link.ts';
import type { LinkTransport } from './link/quic-way.ts';
import { socketLinks, type TlsOptions } from './link/websocket-connection.ts';

/** What an upgrade carries to be let in, and the secrets in it, which are shown to nobody. */
export type Credentials = {
  headers: Readonly<Record<string, string>>;
  query: Readonly<Record<string, string>>;
  subprotocols: readonly string[];
  secrets: readonly string[];
};

/** Where callers go, and what lets them in. */
export type ServerAddress = {
  url: string;
  token: string | undefined;
  tls: TlsOptions | undefined;
  /** What carries speechfb.v1; default `websocket`. */
  transport?: LinkTransport | undefined;
  credentials?: Credentials | undefined;
};

/** What links share; see `socketLinks`. `device`: whose simulated network they go over, if any. */
type LinkContext = {
  clock: Clock;
  afterMessage?: (nowMs: number) => void;
  device?: SimulatedDevice | undefined;
};

/** Links to where a request of a dialect leads. */
export function dialectLinks(
  { url, token, tls, credentials }: ServerAddress,
  request: ConnectRequest,
  { clock, afterMessage, device }: LinkContext,
): OpenLink {
  const headers = { ...request.headers, ...credentials?.headers };
  if (request.grpc)
    return grpcLinks({ url, method: request.grpc, token, tls, headers }, { clock, afterMessage, device });
  const target = {
    url: dialectUrl(url, request, credentials?.query ?? {}),
    token,
    tls,
    headers,
    subprotocols: [...(request.subprotocols ?? []), ...(credentials?.subprotocols ?? [])],
    keepsBinary: true,
  };
  const links = socketLinks(target, clock, afterMessage);
  return device?.links(links) ?? links;
}

/** Links to a server of speechfb.v1. */
export function streamLinks(
  { url, token, tls, transport, credentials }: ServerAddress,
  clock: Clock,
  afterMessage?: (nowMs: number) => void,
): OpenLink {
  const { headers, query = {}, subprotocols = [] } = credentials ?? {};
  const target = { url: dialectUrl(url, {}, query), token, tls, transport, headers };
  const also = subprotocols.length === 0 ? {} : { besideOurs: subprotocols };
  return socketLinks({ ...target, ...also }, clock, afterMessage);
}

/**
 * Where a connection of a dialect leads: the target's own path and parameters come first, the
 * dialect fills in what is missing, and `secrets` are the parameters that let one in.
 */
function dialectUrl(target: string, request: ConnectRequest, secrets: Readonly<Record<string, string>>): string {
  const url = new URL(target);
  if (url.pathname === '/' && request.path !== undefined) url.pathname = request.path;
  for (const [name, value] of Object.entries({ ...request.query }))
    if (!url.searchParams.has(name)) url.searchParams.set(name, value);
  for (const [name, value] of Object.entries(secrets)) url.searchParams.set(name, value);
  return url.href;
}
