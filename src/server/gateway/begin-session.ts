import type { StartMessage } from '../../protocol/client-messages.ts';
import type { TakePlace } from '../admission/admit.ts';
import type { Refusal } from '../refusal.ts';
import { openText } from '../session/open-text.ts';
import type { Session } from '../session/session.ts';
import type { SessionIdentity } from '../session/session-options.ts';
import type { ConnectionOptions } from './connection-options.ts';

/** What is known of a session that may start. */
export type Beginning = { message: StartMessage; takePlace: TakePlace; identity?: SessionIdentity | undefined };

/** Begins a session that may start through a socket, or says what is wrong with its start. */
export function beginSession(
  options: ConnectionOptions,
  { message, takePlace, identity }: Beginning,
): Session | Refusal {
  const { accounts, context, registry, owner, work, wire } = options;
  const { language } = context.engine.model;
  if (primaryTag(message.language) !== primaryTag(language)) {
    return { code: 'invalid_message', message: `language: "${message.language}" is not ${language}` };
  }
  const text = openText(context, work, message.reference);
  if ('code' in text) return text;
  const place = takePlace();
  try {
    const begin = { text, work, owner, account: accounts[0], place, isResumable: !wire, identity };
    const session = registry.create(message, begin);
    options.began?.(session);
    return session;
  } catch (error) {
    place();
    text.release();
    throw error;
  }
}

/** `en` of `en-US`. */
function primaryTag(language: string): string {
  return language.split('-')[0]!.toLowerCase();
}
