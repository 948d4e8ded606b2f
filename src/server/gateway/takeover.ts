import type { ClientMessage, StartMessage } from '../../protocol/client-messages.ts';
import { readCheckpoint, type SessionCheckpoint } from '../../stores/checkpoint.ts';
import { type ClaimOutcome, isSessionId, type SessionClaim, StoreError } from '../../stores/session-store.ts';
import type { CallerAccounts } from '../admission/accounts.ts';
import type { Admit, StartDecision } from '../admission/admit.ts';
import type { GatewayStore } from '../durable/gateway-store.ts';
import { planOf } from '../durable/resumption.ts';
import { isSameLanguage } from '../hearing/language.ts';
import type { LocalModel } from '../hearing/local-model.ts';
import type { SessionRoute } from '../hearing/route.ts';
import { payerOf } from '../hearing/routed-session.ts';
import type { Refusal } from '../refusal.ts';
import { hashOf } from '../secrets.ts';
import { contextOf, type ServerContext, type WorkAccount } from '../session/context.ts';
import { openText, writtenLength } from '../session/open-text.ts';
import { modelOf } from '../session/saved-session.ts';
import type { Session } from '../session/session.ts';
import { newIdentity, type SessionIdentity } from '../session/session-options.ts';
import { type Registry, withoutTrace } from './registry.ts';

export type TakeoverOptions = {
  context: ServerContext;
  registry: Registry;
  durable: GatewayStore;
};

/** The client that comes back, and what asks for a place for its session. */
export type Returning = {
  owner: string | undefined;
  accounts: CallerAccounts;
  work: WorkAccount;
  admit: Admit;
  began?(session: Session): void;
};

type ResumeMessage = Extract<ClientMessage, { type: 'resume' }>;

/** Finds sessions that other gateways had, and goes on with them here. */
export class Takeover {
  readonly #options: TakeoverOptions;

  constructor(options: TakeoverOptions) {
    this.#options = options;
  }

  /**
   * The session of a client that comes back, found here or in the store.
   *
   * @param here what is known of it here
   */
  async find(message: ResumeMessage, here: Session | Refusal, caller: Returning): Promise<Session | Refusal> {
    if ('code' in here) return here.code === 'session_not_found' ? await this.#claim(message, caller) : here;
    // Who has heard more than this gateway said was elsewhere meanwhile.
    const { keeper, store } = this.#options.durable;
    const isBehind = message.last_event_id > here.lastEventId;
    if (isBehind && !store.reaches(here.id)) return storeAway('has been at another gateway since');
    if (!isBehind && (await keeper.isOurs(here))) return here;
    here.fence();
    return await this.#claim(message, caller);
  }

  /**
   * Whether a session may start whose client names a key, and what it is to be known by, so that
   * one start that comes to two gateways is one session: its client, which never heard of the
   * first, says everything again, and the gateway that had it finds out when it saves. A store that
   * does not answer is not waited for: then the key holds at this gateway alone.
   */
  async identified(
    start: StartMessage,
    caller: Returning,
    ask: () => ReturnType<Admit>,
  ): Promise<Refusal | StartAnswer> {
    const identity = await this.#identify(start, caller);
    if ('code' in identity) return identity;
    const decided = await decisionOf(ask());
    return 'code' in decided ? decided : { ...decided, identity };
  }

  async #identify(start: StartMessage, { accounts, owner }: Returning): Promise<SessionIdentity | Refusal> {
    const { context, durable } = this.#options;
    const { store, keeper } = durable;
    const own = newIdentity(context);
    if (!store.isUp) return own;
    const ttlMs = context.limits.resumeTtlMs;
    const digest = owner && hashOf(owner);
    try {
      const startHash = hashOf(JSON.stringify([digest, withoutTrace(start)]));
      const key = hashOf(JSON.stringify([owner ?? accounts[0].address, start.idempotency_key]));
      const begun = await store.begin(key, { sessionId: own.id, startHash }, ttlMs);
      if (begun.startHash !== startHash)
        return { code: 'session_conflict', message: 'idempotency_key was used with another start' };
      if (begun.sessionId === own.id) return own;
      const identity = { id: begun.sessionId, resumeToken: own.resumeToken };
      const claim = { sessionId: identity.id, tokenHash: undefined, owner: digest, gateway: keeper.gateway };
      const newTokenHash = hashOf(own.resumeToken);
      using claimed = await this.#claimFor({ ...claim, newTokenHash }, ttlMs);
      const { outcome } = claimed;
      if (outcome.kind === 'claimed') return { ...identity, generation: outcome.generation };
      // Whoever began it has saved nothing yet: what it saves is older than ours.
      return outcome.kind === 'unknown' ? { ...identity, generation: 2 } : own;
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      context.metrics.storeFailure(error.why);
      return own;
    }
  }

  async #claim(message: ResumeMessage, caller: Returning): Promise<Session | Refusal> {
    const { context, durable } = this.#options;
    const { keeper } = durable;
    const { session_id: sessionId, resume_token, replay } = message;
    if (!isSessionId(sessionId)) return notFound('no such session: it never was');
    if (!replay) return notFound('no such session here, and its client has kept nothing to go on with elsewhere');
    try {
      const claim = {
        sessionId,
        tokenHash: hashOf(resume_token),
        owner: caller.owner && hashOf(caller.owner),
        gateway: keeper.gateway,
      };
      using claimed = await this.#claimFor(claim, context.limits.resumeTtlMs);
      return await this.#goOnWith(claimed, { ...message, replay }, caller);
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      context.metrics.storeFailure(error.why);
      context.log.warn({ why: error.why }, 'a session could not be resumed: the store does not answer');
      return storeAway('is not here');
    }
  }

  /**
   * Claims a session for the server's own model, or for the one that has scored it where that runs
   * here beside it; the model stays until the claim is disposed of.
   */
  async #claimFor(claim: Omit<SessionClaim, 'model'>, ttlMs: number): Promise<Claimed> {
    const { context, durable } = this.#options;
    const { store } = durable;
    const outcome = await store.claim({ ...claim, model: modelOf(context) }, ttlMs);
    const runs = outcome.kind === 'other_model' ? outcome.model : undefined;
    const model = context.router?.models.find(({ identity }) => identity === runs);
    if (!model) return { outcome, model, [Symbol.dispose]() {} };
    const release = model.hold();
    try {
      const again = await store.claim({ ...claim, model: model.identity }, ttlMs);
      return { outcome: again, model, [Symbol.dispose]: release };
    } catch (error) {
      release();
      throw error;
    }
  }

  async #goOnWith({ outcome, model }: Claimed, message: Replaying, caller: Returning): Promise<Session | Refusal> {
    const { context } = this.#options;
    if (outcome.kind !== 'claimed') return refusalOf(outcome, modelOf(context));
    const checkpoint = readCheckpoint(outcome.value);
    if ('problem' in checkpoint) {
      context.log.warn({ session: message.session_id, problem: checkpoint.problem }, 'a checkpoint cannot be read');
      return notFound(`the session cannot go on at another gateway: of its checkpoint ${checkpoint.problem}`);
    }
    return await this.#goOn(message, checkpoint, { ...outcome, model }, caller);
  }

  async #goOn(
    message: Replaying,
    checkpoint: SessionCheckpoint,
    claimed: { generation: number; ageMs: number; from: string; model: LocalModel | undefined },
    caller: Returning,
  ): Promise<Session | Refusal> {
    const { context, registry } = this.#options;
    const nowMs = context.now();
    const plan = planOf(checkpoint, message.replay, { ageMs: claimed.ageMs, nowMs });
    if ('code' in plan) return plan;
    const start: StartMessage = { ...checkpoint.start, reference: plan.reference };
    const decided = await decisionOf(caller.admit(start, writtenLength(plan.reference), true));
    if (!('take' in decided)) return 'code' in decided ? decided : notFound('the session began elsewhere');
    const { take, decline } = decided;
    const own = context.engine.model.language;
    if (!context.router && !isSameLanguage(start.language, own)) {
      decline();
      return notFound(`the session was in ${start.language}, and this gateway hears ${own} alone`);
    }
    const { model } = claimed;
    const text = openText(contextOf(context, model), caller.work, plan.reference, start.language);
    if ('code' in text) {
      decline();
      return text;
    }
    const { isElsewhere } = take;
    const again = { id: message.session_id, start, owner: caller.owner, isElsewhere, model };
    const route = routeAgain(context, again, checkpoint.backend);
    if (route && 'code' in route) {
      decline();
      text.release();
      return route;
    }
    const { emitIntervalMs, granularity } = checkpoint;
    const session = registry.create(start, {
      text,
      work: caller.work,
      owner: caller.owner,
      accounts: caller.accounts,
      place: take(),
      isResumable: true,
      identity: { id: message.session_id, resumeToken: message.resume_token, generation: claimed.generation },
      route,
      resumption: {
        lastEventId: Math.max(checkpoint.lastEventId, message.last_event_id),
        startedMs: nowMs - checkpoint.startedAgoMs - claimed.ageMs,
        settings: { emitIntervalMs, granularity },
        audio: plan.audio,
      },
    });
    caller.began?.(session);
    context.log.info(
      { session: session.id, generation: claimed.generation },
      'a session of another gateway goes on here',
    );
    return session;
  }
}

/** An answer to a start, with what its session is known by. */
export type StartAnswer = StartDecision & { identity?: SessionIdentity };

/** An answer that came at once as one that took its time. */
async function decisionOf(answer: ReturnType<Admit>): Promise<Refusal | StartDecision> {
  const decided = await answer;
  return typeof decided === 'function' ? { take: decided, decline() {} } : decided;
}

/** What writes the transcript of a session that another gateway had; it was at `backend`. */
function routeAgain(
  { router }: ServerContext,
  { id, start, owner, isElsewhere, model }: Again,
  backend: string | undefined,
): SessionRoute | Refusal | undefined {
  const { language, device, lane } = start;
  const session = { id, language, device, lane, ...payerOf(owner) };
  return router?.resume(session, backend, isElsewhere, model);
}

type Again = {
  id: string;
  start: StartMessage;
  owner: string | undefined;
  isElsewhere: boolean;
  model: LocalModel | undefined;
};

type Replaying = ResumeMessage & { replay: NonNullable<ResumeMessage['replay']> };

type Claimed = Disposable & { outcome: ClaimOutcome; model: LocalModel | undefined };

function refusalOf(outcome: Exclude<ClaimOutcome, { kind: 'claimed' }>, model: string): Refusal {
  switch (outcome.kind) {
    case 'unknown':
      return notFound('no such session: it never was, has ended, or its resume window has passed');
    case 'wrong_token':
      return { code: 'unauthorized', message: 'resume_token does not belong to this session' };
    case 'forbidden':
      return { code: 'forbidden', message: 'the session belongs to another token' };
    case 'other_model':
      return notFound(`the session was scored by ${outcome.model}, and this gateway has ${model}`);
  }
}

function notFound(message: string): Refusal {
  return { code: 'session_not_found', message };
}

function storeAway(what: string): Refusal {
  const message = `the session ${what}, and the store that knows where it was does not answer`;
  return { code: 'server_busy', message, retryAfterMs: storeRetryMs };
}

/** Until a store that was away may answer again. */
const storeRetryMs = 1000;
