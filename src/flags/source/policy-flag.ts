import type { EvaluationContext } from '@openfeature/core';
import { type Client, OpenFeature, ProviderEvents } from '@openfeature/server-sdk';
import { SpeechfbError } from '../../errors.ts';
import type { ObjectProvider } from './object-provider.ts';

export type PolicyFlagOptions = {
  /** The name of the flag. */
  flag: string;
  provider: ObjectProvider;
  /** Where the flag is, for sentences. */
  origin: string;
  /** What targeting rules may look at. */
  context: EvaluationContext;
  /** The flag may have another value, or could not be evaluated. */
  onChange(read: Promise<unknown>): void;
};

/** One object flag, read through OpenFeature whatever its provider is. */
export class PolicyFlag {
  readonly #options: PolicyFlagOptions;
  readonly #client: Client;

  /** @throws SpeechfbError `flags_unreachable` where the provider cannot begin */
  static async open(options: PolicyFlagOptions): Promise<PolicyFlag> {
    // Two servers in one process are two domains.
    const domain = `speechfb-${++opened}`;
    try {
      await OpenFeature.setProviderAndWait(domain, options.provider);
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new SpeechfbError('flags_unreachable', `${options.origin} cannot be asked: ${why}`, {
        hint: 'a server that runs keeps the last policy that was good; one that starts has none yet',
        cause,
      });
    }
    return new PolicyFlag(options, domain);
  }

  private constructor(options: PolicyFlagOptions, domain: string) {
    this.#options = options;
    this.#client = OpenFeature.getClient(domain);
    this.#client.addHandler(ProviderEvents.ConfigurationChanged, this.#onChanged);
  }

  /**
   * The value of the flag now: plain JSON.
   * @throws SpeechfbError `bad_flag_value` where there is no such flag, or it is no object
   */
  async value(): Promise<unknown> {
    const { flag, context, origin } = this.#options;
    const { value, errorCode, errorMessage } = await this.#client.getObjectDetails(flag, nothing, context);
    if (errorCode === undefined && value !== nothing) return value;
    const why = errorMessage ?? 'it has no value';
    throw new SpeechfbError('bad_flag_value', `${origin}: the flag "${flag}" gives no policy: ${why}`, {
      hint: 'the value of the flag is a whole RoutingPolicy; --flag NAME says which flag it is',
    });
  }

  async close(): Promise<void> {
    this.#client.removeHandler(ProviderEvents.ConfigurationChanged, this.#onChanged);
    await this.#options.provider.onClose?.();
  }

  readonly #onChanged = (): void => this.#options.onChange(this.value());
}

let opened = 0;
/** What stands for no value; never a policy. */
const nothing: Record<string, never> = {};
