import {
  ErrorCode,
  type EvaluationContext,
  type JsonValue,
  type Logger,
  type ResolutionDetails,
} from '@openfeature/core';
import { FlagdCore, MemoryStorage } from '@openfeature/flagd-core';
import { SpeechfbError } from '../../errors.ts';
import { type FlagFile, readFlagFile } from './flag-file.ts';
import { ObjectProvider } from './object-provider.ts';
import type { SoundPolicy } from './policy-value.ts';

export type FileProviderOptions = { file: string; text: string; flag: string };

/** Flags of a file, evaluated in this process as flagd does. */
export class FileProvider extends ObjectProvider {
  readonly metadata = { name: 'file' };
  readonly #file: string;
  readonly #flag: string;
  #core: FlagdCore;
  #at: SoundPolicy['at'];

  /** @throws SpeechfbError `bad_config` */
  constructor({ file, text, flag }: FileProviderOptions) {
    super();
    this.#file = file;
    this.#flag = flag;
    this.#core = this.#loaded(readFlagFile(file, text, flag));
  }

  /** Where a path of its policy stands; undefined: it has several. */
  get at(): SoundPolicy['at'] {
    return this.#at;
  }

  /**
   * Takes another text of the file up; what is wrong with it leaves everything as it was.
   * @throws SpeechfbError `bad_config`
   */
  replace(text: string): void {
    this.#core = this.#loaded(readFlagFile(this.#file, text, this.#flag));
    this.changed();
  }

  async resolveObjectEvaluation<Value extends JsonValue>(
    flag: string,
    fallback: Value,
    context: EvaluationContext,
  ): Promise<ResolutionDetails<Value>> {
    return this.#core.resolveObjectEvaluation(flag, fallback, context, silent);
  }

  #loaded({ json, at }: FlagFile): FlagdCore {
    // Rules are interpreted: no code is made of what a file says.
    const options = { disableDynamicCodeGeneration: true };
    const core = new FlagdCore(new MemoryStorage(silent, options), silent, options);
    const hint = 'docs/routing.md has an example; targeting is JsonLogic, as {"if": [condition, "variant"]}';
    try {
      core.setConfigurations(json);
    } catch (cause) {
      throw new SpeechfbError('bad_config', `${this.#file} is no file that flagd reads`, { hint, cause });
    }
    if (core.resolveObjectEvaluation(this.#flag, {}, {}, silent).errorCode === ErrorCode.PARSE_ERROR) {
      const message = `${this.#file}: the targeting of the flag "${this.#flag}" is none that flagd reads`;
      throw new SpeechfbError('bad_config', message, { hint });
    }
    this.#at = at;
    return core;
  }
}

/** What goes wrong comes with the value. */
const silent: Logger = { error() {}, warn() {}, info() {}, debug() {} };
