import { resultsPath } from '../../protocol/address.ts';
import type { ClientMessage } from '../../protocol/client-messages.ts';
import type { FoundUtterance, ResultStore } from '../../stores/result-store.ts';
import { isSessionId, StoreError } from '../../stores/session-store.ts';
import type { Refusal } from '../refusal.ts';
import { hashOf, sameSecret } from '../secrets.ts';

/** The end of a resume whose session is over: late finals as JSON, in order, then the refusal. */
export type LateFinals = { finals: readonly string[]; refusal: Refusal };

export type LateFinalsOptions = {
  results: ResultStore;
  /** The name of the client's token. */
  owner: string | undefined;
  /** The bound of all finals together: those beyond it come with the next resume. */
  mostBytes: number;
};

/**
 * What a client that resumes a session which is over has not heard: the finals behind the last
 * event that it knows, up to the first that is still to come, so that none is skipped or told
 * twice; and where the rest will be. A session of which nothing came late is refused as it was.
 */
export async function lateFinals(
  { results, owner, mostBytes }: LateFinalsOptions,
  message: Extract<ClientMessage, { type: 'resume' }>,
  refusal: Refusal,
): Promise<LateFinals> {
  const { session_id: id, resume_token: token, last_event_id: lastEventId } = message;
  const none = { finals: [], refusal };
  if (refusal.code !== 'session_not_found' || !isSessionId(id)) return none;
  try {
    const found = await results.read(id);
    if (found.kind === 'unknown' || found.kind === 'open' || found.tokenHash === '') return none;
    const denied = sameSecret(hashOf(token), found.tokenHash) ? ownerProblem(owner, found.owner) : wrongToken;
    if (denied) return { finals: [], refusal: denied };
    if (found.kind === 'gone') return { finals: [], refusal: { ...refusal, message: goneTexts[found.why] } };
    const finals = unheard(found.utterances, lastEventId, mostBytes);
    return { finals, refusal: { ...refusal, message: whatBecame(id, found.utterances) } };
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    const away = 'the session is not here, and the store that knows what became of it does not answer';
    return { finals: [], refusal: { code: 'server_busy', message: away, retryAfterMs: storeRetryMs } };
  }
}

function ownerProblem(owner: string | undefined, expected: string | undefined): Refusal | undefined {
  if (owner === undefined && expected === undefined) return undefined;
  const isSame = owner !== undefined && expected !== undefined && sameSecret(hashOf(owner), expected);
  return isSame ? undefined : { code: 'forbidden', message: 'the session belongs to another token' };
}

function unheard(utterances: readonly FoundUtterance[], lastEventId: number, mostBytes: number): string[] {
  const finals: string[] = [];
  let bytes = 0;
  const behind = utterances.filter(({ eventId = 0 }) => eventId > lastEventId);
  behind.sort((left, right) => left.eventId! - right.eventId!);
  for (const one of behind) {
    if (one.state === 'failed') continue;
    if (one.state === 'pending') break;
    const text = JSON.stringify({ event_id: one.eventId, ...JSON.parse(one.value) });
    bytes += text.length;
    if (bytes > mostBytes && finals.length > 0) break;
    finals.push(text);
  }
  return finals;
}

function whatBecame(sessionId: string, utterances: readonly FoundUtterance[]): string {
  const of = (state: FoundUtterance['state']): string | undefined => {
    const ids = utterances.filter((one) => one.state === state).map(({ utteranceId }) => utteranceId);
    return ids.length === 0 ? undefined : `utterance${ids.length === 1 ? '' : 's'} ${ids.join(', ')}`;
  };
  const [done, pending, failed] = [of('done'), of('pending'), of('failed')];
  const parts = [
    done && `${done} came late`,
    pending && `${pending} will be scored later`,
    failed && `${failed} could not be scored`,
  ].filter((part) => part !== undefined);
  return `the session has ended; ${parts.join(', ')}: GET ${resultsPath(sessionId)} with the resume_token`;
}

const wrongToken: Refusal = { code: 'unauthorized', message: 'resume_token does not belong to this session' };
const goneTexts = {
  erased: 'the session has ended, and was erased',
  expired: 'the session has ended, and its results were kept no longer',
} as const;

/** Until a store that was away may answer again. */
const storeRetryMs = 1000;
