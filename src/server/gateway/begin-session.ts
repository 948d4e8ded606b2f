import type { StartMessage } from '../../protocol/client-messages.ts';
import { refusedBy } from '../admission/accounts.ts';
import type { TakePlace } from '../admission/admit.ts';
import { isSameLanguage } from '../hearing/language.ts';
import type { SessionRoute } from '../hearing/route.ts';
import { payerOf } from '../hearing/routed-session.ts';
import type { Elsewhere } from '../hearing/router.ts';
import type { Refusal } from '../refusal.ts';
import { contextOf, type ServerContext } from '../session/context.ts';
import { openText } from '../session/open-text.ts';
import type { Session } from '../session/session.ts';
import { newIdentity, type SessionIdentity } from '../session/session-options.ts';
import type { ConnectionOptions } from './connection-options.ts';

/** What is known of a session that may start. */
export type Beginning = { message: StartMessage; takePlace: TakePlace; identity?: SessionIdentity | undefined };

/** Begins a session that may start through a socket, or says what is wrong with its start. */
export function beginSession(
  options: ConnectionOptions,
  { message, takePlace, identity = newIdentity(options.context) }: Beginning,
): Session | Refusal {
  const { accounts, context, registry, owner, work, wire } = options;
  const route = routeOf(options, message, { id: identity.id, isElsewhere: takePlace.isElsewhere });
  if (route && 'code' in route) return route;
  const text = openText(contextOf(context, route?.model), work, message.reference, message.language);
  if ('code' in text) return refusedBy(accounts, (account) => account.start(context.now(), false)) ?? text;
  const place = takePlace();
  try {
    const begin = { text, work, owner, accounts, place, isResumable: !wire, identity, route };
    const session = registry.create(message, begin);
    options.began?.(session);
    return session;
  } catch (error) {
    place();
    text.release();
    throw error;
  }
}

/**
 * Whether backends of others could hear a session alone: without its phones, and so without a place
 * of the own model.
 */
export function heardElsewhere(
  { router, engine }: ServerContext,
  { language, device, lane }: StartMessage,
  owner: string | undefined,
): Elsewhere | undefined {
  if (!router) return undefined;
  if (!isSameLanguage(language, engine.model.language)) return 'always';
  return router.spills({ language, device, lane, ...payerOf(owner) }) ? 'when full' : undefined;
}

/** What writes the transcript; undefined: the own model, and no policy has a say. */
function routeOf(
  { context, owner }: ConnectionOptions,
  { language, device, lane }: StartMessage,
  { id, isElsewhere }: { id: string; isElsewhere: boolean },
): SessionRoute | Refusal | undefined {
  const { router, engine } = context;
  if (router) return router.route({ id, language, device, lane, ...payerOf(owner) }, isElsewhere);
  const own = engine.model.language;
  if (isSameLanguage(language, own)) return undefined;
  return { code: 'invalid_message', message: `language: "${language}" is not ${own}` };
}
