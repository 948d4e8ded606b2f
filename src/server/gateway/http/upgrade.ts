import type { IncomingMessage } from 'node:http';
import { streamPath, subprotocol, upgradeHints } from '../../../protocol/address.ts';
import type { Lane } from '../../../protocol/client-messages.ts';
import type { Caller } from '../../admission/accounts.ts';
import { accountOf, callerAddress } from '../../admission/address.ts';
import { type HostPolicy, isHostAllowed, isOriginAllowed, type OriginPolicy } from '../../admission/exposure.ts';
import type { HttpRefusal } from '../../admission/http-refusal.ts';
import type { TokenHolders } from '../../admission/membership.ts';
import type { Tokens } from '../../admission/tokens.ts';
import { facadeAt, facadePaths } from '../../facade/facades.ts';
import type { Wire } from '../../facade/wire.ts';
import { brokenHandshake } from './handshake.ts';

/**
 * A browser cannot set headers: it may offer its token as a subprotocol, `bearer.TOKEN`, beside
 * `speechfb.v1`.
 */
const bearerProtocol = 'bearer.';

/** What a server asks of its callers. */
export type CallerPolicy = {
  tokens: Tokens | undefined;
  /** What knows the tokens of tenants; absent: there are none. */
  tenants?: TokenHolders | undefined;
  origins: OriginPolicy;
  hosts: HostPolicy;
  trustedProxies: number;
};

/** Why a request is not meant for this server, whatever it asks for. */
export function misdirected(request: IncomingMessage, { hosts }: CallerPolicy): HttpRefusal | undefined {
  const twice = onceOnly.find((name) => (request.headersDistinct?.[name]?.length ?? 0) > 1);
  if (twice !== undefined) {
    // Node reads the first; who stands in front and looked at it may have read the last.
    return { status: 400, reason: 'malformed', code: 'invalid_message', message: `the header ${twice} is there twice` };
  }
  const { host } = request.headers;
  if (host === undefined && request.httpVersion === '1.1') {
    const message = 'a request of HTTP/1.1 names its Host';
    return { status: 400, reason: 'malformed', code: 'invalid_message', message };
  }
  if (isHostAllowed(host, hosts)) return undefined;
  const message = `this server does not go by the name "${short(host)}"; --allow-host adds one`;
  return { status: 421, reason: 'host', code: 'forbidden', message };
}

/**
 * The client behind a request, or why it is refused; a promise where a token takes work to tell.
 */
export function identify(request: IncomingMessage, policy: CallerPolicy): Eventually<Caller | HttpRefusal> {
  const { tokens, tenants, origins, trustedProxies } = policy;
  const { origin, host } = request.headers;
  if (!isOriginAllowed(origin, host, origins)) {
    const message = `pages of ${short(origin)} may not connect; --allow-origin adds one`;
    return { status: 403, reason: 'origin', code: 'forbidden', message };
  }
  const address = accountOf(callerAddress(request, trustedProxies));
  if (!tokens && !tenants) return { owner: undefined, address };
  const token = tokenOf(request);
  const owner = token === undefined ? undefined : tokens?.nameOf(token);
  if (owner !== undefined) return { owner, address };
  if (token !== undefined && tenants) {
    return after(tenants.holderOf(token, address), (held) => ('status' in held ? held : { ...held, address }));
  }
  const hint = facadeAt(pathOf(request))?.tokenHint ?? tokenHint;
  const message = token === undefined ? `a token is needed: ${hint}` : 'the token is unknown';
  return { status: 401, reason: 'token', code: 'unauthorized', message };
}

/**
 * Why a request may not look at the server itself (its metrics, its faults): that is for who runs
 * it, and what one tenant would read there is of all.
 */
export function refusedOperator(request: IncomingMessage, policy: CallerPolicy): Eventually<HttpRefusal | undefined> {
  return after(identify(request, policy), (caller) => {
    if ('status' in caller) return caller;
    const message = 'tokens of tenants open streams alone; this is for tokens of --token-file';
    return caller.member && { status: 403, reason: 'tenant', code: 'forbidden', message };
  });
}

/**
 * The client that a WebSocket may be opened for, and what puts it into the words of others; or why
 * not: before there is one, so that nobody unknown takes the place of somebody known.
 */
export function callerOfUpgrade(request: IncomingMessage, policy: CallerPolicy): Eventually<Welcome | HttpRefusal> {
  const wrongHost = misdirected(request, policy);
  if (wrongHost) return wrongHost;
  const facade = facadeAt(pathOf(request));
  if (!facade && pathOf(request) !== streamPath) {
    const message = `streams are at ${streamPath}, and in protocols of others at ${facadePaths.join(', ')}`;
    return { status: 404, reason: 'path', code: 'not_found', message };
  }
  if (!facade && !offeredBy(request).includes(subprotocol)) {
    const message = `offer the subprotocol ${subprotocol} (Sec-WebSocket-Protocol)`;
    return { status: 400, reason: 'subprotocol', code: 'invalid_message', message };
  }
  const broken = brokenHandshake(request);
  if (broken) return broken;
  return after(identify(request, policy), (caller) => {
    if ('status' in caller) return caller;
    const wire = facade?.open(queryOf(request));
    return wire && 'status' in wire ? wire : { ...caller, wire };
  });
}

/** A caller that may have a WebSocket, and what puts it into the words of others. */
export type Welcome = Caller & { wire: Wire | undefined };

/** What is known at once, or takes a while. */
export type Eventually<Value> = Value | Promise<Value>;

/** What is made of a value as soon as it is there: at once if it can be. */
function after<Value, Made>(value: Eventually<Value>, make: (value: Value) => Made): Eventually<Made> {
  return value instanceof Promise ? value.then(make) : make(value);
}

/** What the query says that an upgrade is for; what it claims is found out later. */
export type UpgradeClaims = { resume: string | undefined; ticket: string | undefined; lane: Lane };

/** @returns what it claims, and `moves`: whether it goes where `moving` says. */
export function hintsOf(request: IncomingMessage): UpgradeClaims & { moves: boolean } {
  const url = request.url ?? '/';
  const query = url.indexOf('?');
  // Most say nothing, and a flood of upgrades comes by here.
  if (query < 0) return { resume: undefined, ticket: undefined, lane: 'live', moves: false };
  const given = new URLSearchParams(url.slice(query + 1));
  const hint = (name: keyof typeof upgradeHints): string | undefined => given.get(upgradeHints[name]) ?? undefined;
  const lane = hint('lane') === 'batch' ? 'batch' : 'live';
  return { resume: hint('resume'), ticket: hint('ticket'), lane, moves: hint('moves') !== undefined };
}

/** The path of a request without its query. */
export function pathOf(request: IncomingMessage): string {
  return (request.url ?? '/').split('?', 1)[0]!;
}

function queryOf(request: IncomingMessage): URLSearchParams {
  return new URLSearchParams((request.url ?? '').split('?').slice(1).join('?'));
}

/**
 * The subprotocol chosen from those that the client offers; false when that of the path is not
 * among them.
 */
export function chooseSubprotocol(offered: Set<string>, request: IncomingMessage): string | false {
  const facade = facadeAt(pathOf(request));
  if (facade) return facade.subprotocol([...offered]) ?? false;
  return offered.has(subprotocol) ? subprotocol : false;
}

function offeredBy(request: IncomingMessage): string[] {
  return (request.headers['sec-websocket-protocol'] ?? '').split(',').map((name) => name.trim());
}

function tokenOf(request: IncomingMessage): string | undefined {
  const facade = facadeAt(pathOf(request));
  if (facade) return facade.tokenOf(request.headers, offeredBy(request));
  const header = /^Bearer\s+(\S+)$/i.exec(request.headers.authorization ?? '')?.[1];
  if (header !== undefined) return header;
  return offeredBy(request)
    .find((name) => name.startsWith(bearerProtocol))
    ?.slice(bearerProtocol.length);
}

/** What a caller wrote, as far as an answer quotes it: printable, and not much of it. */
function short(text: string | undefined): string {
  return (text ?? '').replace(/[^\x21-\x7e]/g, '?').slice(0, maxQuoted);
}

/** Headers by which somebody is let in or turned away. */
const onceOnly = ['host', 'authorization', 'origin', 'upgrade', 'sec-websocket-key'] as const;

const maxQuoted = 80;
const tokenHint = `"Authorization: Bearer TOKEN" or the subprotocol "${bearerProtocol}TOKEN"`;

/** Why the caller is refused; undefined: it is not. */
export function refusalIn(caller: Eventually<Caller | HttpRefusal>): Eventually<HttpRefusal | undefined> {
  return after(caller, (known) => ('status' in known ? known : undefined));
}
