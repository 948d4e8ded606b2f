import { type EvaluationContext, type JsonValue, type ResolutionDetails, TypeMismatchError } from '@openfeature/core';
import { OpenFeatureEventEmitter, type Provider, ProviderEvents } from '@openfeature/server-sdk';

/** A provider of OpenFeature that knows objects, as routing policies are, and no other values. */
export abstract class ObjectProvider implements Provider {
  abstract readonly metadata: { readonly name: string };
  readonly runsOn = 'server';
  readonly events = new OpenFeatureEventEmitter();

  abstract resolveObjectEvaluation<Value extends JsonValue>(
    flag: string,
    fallback: Value,
    context: EvaluationContext,
  ): Promise<ResolutionDetails<Value>>;

  resolveBooleanEvaluation(): Promise<ResolutionDetails<boolean>> {
    return this.#refuse();
  }

  resolveNumberEvaluation(): Promise<ResolutionDetails<number>> {
    return this.#refuse();
  }

  resolveStringEvaluation(): Promise<ResolutionDetails<string>> {
    return this.#refuse();
  }

  /** What flags say may be different from here on. */
  protected changed(): void {
    this.events.emit(ProviderEvents.ConfigurationChanged);
  }

  onClose?(): Promise<void>;

  #refuse(): Promise<never> {
    return Promise.reject(new TypeMismatchError('only objects are flags here'));
  }
}
