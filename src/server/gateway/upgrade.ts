import type { IncomingMessage } from 'node:http';
import { streamPath, subprotocol, upgradeHints } from '../../protocol/address.ts';
import type { Lane } from '../../protocol/client-messages.ts';
import type { Caller } from '../admission/accounts.ts';
import { accountOf, callerAddress } from '../admission/address.ts';
import { type HostPolicy, isHostAllowed, isOriginAllowed, type OriginPolicy } from '../admission/exposure.ts';
import type { HttpRefusal } from '../admission/http-refusal.ts';
import type { Tokens } from '../admission/tokens.ts';
import { facadeAt, facadePaths } from '../facade/facades.ts';
import type { Wire } from '../facade/wire.ts';

/**
 * A browser cannot set headers: it may offer its token as a subprotocol, `bearer.TOKEN`, beside
 * `speechfb.v1`.
 */
const bearerProtocol = 'bearer.';

/** What a server asks of its callers. */
export type CallerPolicy = {
  tokens: Tokens | undefined;
  origins: OriginPolicy;
  hosts: HostPolicy;
  trustedProxies: number;
};

/** Why a request is not meant for this server, whatever it asks for. */
export function misdirected({ headers }: IncomingMessage, { hosts }: CallerPolicy): HttpRefusal | undefined {
  const { host } = headers;
  if (isHostAllowed(host, hosts)) return undefined;
  const message = `this server does not go by the name "${short(host)}"; --allow-host adds one`;
  return { status: 421, reason: 'host', code: 'forbidden', message };
}

/** The client behind a request, or why it is refused. */
export function identify(request: IncomingMessage, policy: CallerPolicy): Caller | HttpRefusal {
  const { tokens, origins, trustedProxies } = policy;
  const { origin, host } = request.headers;
  if (!isOriginAllowed(origin, host, origins)) {
    const message = `pages of ${short(origin)} may not connect; --allow-origin adds one`;
    return { status: 403, reason: 'origin', code: 'forbidden', message };
  }
  const address = accountOf(callerAddress(request, trustedProxies));
  if (!tokens) return { owner: undefined, address };
  const token = tokenOf(request);
  const owner = token === undefined ? undefined : tokens.nameOf(token);
  if (owner !== undefined) return { owner, address };
  const hint = facadeAt(pathOf(request))?.tokenHint ?? tokenHint;
  const message = token === undefined ? `a token is needed: ${hint}` : 'the token is unknown';
  return { status: 401, reason: 'token', code: 'unauthorized', message };
}

/**
 * The client that a WebSocket may be opened for, and what puts it into the words of others; or why
 * not: before there is one, so that nobody unknown takes the place of somebody known.
 */
export function callerOfUpgrade(
  request: IncomingMessage,
  policy: CallerPolicy,
): (Caller & { wire: Wire | undefined }) | HttpRefusal {
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
  const caller = identify(request, policy);
  if ('status' in caller) return caller;
  const wire = facade?.open(queryOf(request));
  return wire && 'status' in wire ? wire : { ...caller, wire };
}

/** What the query says that an upgrade is for; what it claims is found out later. */
export type UpgradeClaims = { resume: string | undefined; ticket: string | undefined; lane: Lane };

export function hintsOf(request: IncomingMessage): UpgradeClaims {
  const url = request.url ?? '/';
  const query = url.indexOf('?');
  // Most say nothing, and a flood of upgrades comes by here.
  if (query < 0) return { resume: undefined, ticket: undefined, lane: 'live' };
  const given = new URLSearchParams(url.slice(query + 1));
  const hint = (name: keyof typeof upgradeHints): string | undefined => given.get(upgradeHints[name]) ?? undefined;
  return { resume: hint('resume'), ticket: hint('ticket'), lane: hint('lane') === 'batch' ? 'batch' : 'live' };
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

const maxQuoted = 80;
const tokenHint = `"Authorization: Bearer TOKEN" or the subprotocol "${bearerProtocol}TOKEN"`;

/** Why the caller is refused; undefined: it is not. */
export function refusalIn(caller: Caller | HttpRefusal): HttpRefusal | undefined {
  return 'status' in caller ? caller : undefined;
}
