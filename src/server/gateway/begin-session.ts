import type { StartMessage } from '../../protocol/client-messages.ts';
import type { TakePlace } from '../admission/admit.ts';
import { isSameLanguage } from '../hearing/language.ts';
import type { SessionRoute } from '../hearing/route.ts';
import { payerOf } from '../hearing/routed-session.ts';
import type { Refusal } from '../refusal.ts';
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
  const route = routeOf(options, message, identity.id);
  if (route && 'code' in route) return route;
  const text = openText(context, work, message.reference, message.language);
  if ('code' in text) return text;
  const place = takePlace();
  try {
    const begin = { text, work, owner, account: accounts[0], place, isResumable: !wire, identity, route };
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
 * What writes the transcript; undefined: the own model, and no policy has a say, as with clients of
 * other protocols, which are told of the words that the model has read.
 */
function routeOf(
  { context, owner, wire }: ConnectionOptions,
  { language, device, lane }: StartMessage,
  id: string,
): SessionRoute | Refusal | undefined {
  const { router, engine } = context;
  if (router && !wire) return router.route({ id, language, device, lane, ...payerOf(owner) });
  const own = engine.model.language;
  if (isSameLanguage(language, own)) return undefined;
  return { code: 'invalid_message', message: `language: "${language}" is not ${own}` };
}
