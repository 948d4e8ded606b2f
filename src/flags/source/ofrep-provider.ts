import {
  type EvaluationContext,
  FlagNotFoundError,
  GeneralError,
  type JsonValue,
  type ResolutionDetails,
} from '@openfeature/core';
import { OFREPApi, OFREPApiTooManyRequestsError } from '@openfeature/ofrep-core';
import { backoffMs } from '../../backoff.ts';
import { shown } from '../../config/sentences.ts';
import type { FlagAddress } from './flag-address.ts';
import { ObjectProvider } from './object-provider.ts';

export type OfrepOptions = {
  address: FlagAddress;
  /** The static context of this server: what targeting rules may look at. */
  context: EvaluationContext;
  /** The server answers again, or does not, and why. */
  onReach(why: string | undefined): void;
  /** It was asked once more, and has answered or not. */
  onAsked?(hasAnswered: boolean): void;
  everyMs: number;
  fetch?: typeof globalThis.fetch;
};

/**
 * Flags of a server that speaks OFREP (flagd, go-feature-flag, Unleash, Flipt ...). This server has
 * one context, so that all flags are asked for at once, with the ETag of the last answer, and kept:
 * what is asked in between is answered from here, also while the server of flags is away.
 */
export class OfrepProvider extends ObjectProvider {
  readonly metadata = { name: 'ofrep' };
  readonly #options: OfrepOptions;
  readonly #api: OFREPApi;
  #flags: ReadonlyMap<string, Evaluated> | undefined;
  #etag: string | null = null;
  #failures = 0;
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(options: OfrepOptions) {
    super();
    this.#options = options;
    const { address, fetch } = options;
    const headers = Object.entries(address.headers());
    const baseUrl = address.baseUrl.replace(/\/+$/, '');
    this.#api = new OFREPApi({ baseUrl, headers, timeoutMs: patienceMs }, fetch);
  }

  /**
   * Asks for the first time; OpenFeature calls it.
   * @throws GeneralError where the server cannot be asked: who begins without a policy has none
   */
  async initialize(): Promise<void> {
    const waitMs = await this.#ask();
    if (!this.#flags) throw new GeneralError(this.#lastTrouble);
    this.#askIn(waitMs);
  }

  override async onClose(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#api.close();
  }

  async resolveObjectEvaluation<Value extends JsonValue>(flag: string): Promise<ResolutionDetails<Value>> {
    const found = this.#flags?.get(flag);
    if (!found) {
      const names = [...(this.#flags?.keys() ?? [])].join(', ');
      throw new FlagNotFoundError(`the server has no flag "${flag}"; it has ${names || 'none'}`);
    }
    if ('trouble' in found) throw new GeneralError(`the server cannot evaluate "${flag}": ${found.trouble}`);
    return { value: found.value as Value, ...(found.variant !== undefined && { variant: found.variant }) };
  }

  #lastTrouble = '';

  #askIn(waitMs: number): void {
    if (this.#isClosed) return;
    this.#timer = setTimeout(() => void this.#ask().then((next) => this.#askIn(next)), waitMs);
    // Whoever is to end does not wait for a poll.
    this.#timer.unref();
  }

  /** Asks once; gives how long to wait before the next time, ms. Never rejects. */
  async #ask(): Promise<number> {
    const { everyMs, onReach, onAsked, address } = this.#options;
    try {
      const answer = await this.#api.postBulkEvaluateFlags({ context: this.#options.context }, this.#etag);
      if (answer.httpStatus === 200) {
        this.#etag = answer.httpResponse?.headers.get('etag') ?? null;
        this.#take(evaluatedOf(answer.value));
      } else if (answer.httpStatus !== 304) throw new Error(`HTTP ${answer.httpStatus}`);
      onAsked?.(true);
      if (this.#failures > 0) onReach(undefined);
      this.#failures = 0;
      return everyMs;
    } catch (error) {
      if (this.#isClosed) return everyMs;
      this.#lastTrouble = address.hide(troubleOf(error));
      onAsked?.(false);
      // It is told when it begins; who looks at the metrics sees how long it lasts.
      if (this.#failures === 0) onReach(this.#lastTrouble);
      this.#failures += 1;
      const asked = error instanceof OFREPApiTooManyRequestsError ? (error.retryAfterSeconds ?? 0) * 1000 : 0;
      const waitMs = backoffMs(this.#failures - 1, Math.random, { firstMs: everyMs, maxMs: mostWaitMs });
      return Math.min(mostAskedMs, Math.max(asked, waitMs));
    }
  }

  #take(flags: ReadonlyMap<string, Evaluated>): void {
    const isFirst = this.#flags === undefined;
    this.#flags = flags;
    if (!isFirst) this.changed();
  }
}

type Evaluated = { value: unknown; variant: string | undefined } | { trouble: string };

/** What a server said of its flags, as far as it says anything; rubbish is no flag. */
function evaluatedOf({ flags = [] }: { flags?: unknown }): ReadonlyMap<string, Evaluated> {
  if (!Array.isArray(flags)) throw new Error('its answer has no list of flags');
  const known = new Map<string, Evaluated>();
  for (const one of flags as unknown[]) {
    if (typeof one !== 'object' || one === null) continue;
    const { key, value, variant, errorCode, errorDetails } = one as Record<string, unknown>;
    if (typeof key !== 'string') continue;
    if (errorCode !== undefined) known.set(key, { trouble: shown(errorDetails ?? errorCode) });
    else if (value !== undefined) known.set(key, { value, variant: typeof variant === 'string' ? variant : undefined });
  }
  return known;
}

/** Why a server could not be asked, in one sentence without the words of the library. */
function troubleOf(error: unknown): string {
  const response = (error as { response?: Response }).response;
  if (response?.status === 401 || response?.status === 403) return `it refuses the token (HTTP ${response.status})`;
  if (response?.status === 429) return 'it asks to be asked less often (HTTP 429)';
  if (response) return `it does not answer as OFREP has it (HTTP ${response.status})`;
  const { cause } = error as { cause?: { cause?: { code?: string; message?: string }; name?: string } };
  if (cause?.name === 'AbortError' || cause?.name === 'TimeoutError') return `no answer within ${patienceMs / 1000} s`;
  const deeper = cause?.cause;
  return deeper?.message || deeper?.code || (error as Error).message;
}

const patienceMs = 5000;
const mostWaitMs = 60_000;
/** A server that asks for a day would leave a withdrawn policy in force. */
const mostAskedMs = 300_000;
