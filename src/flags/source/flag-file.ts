import { z } from 'zod';
import { isMapping, oneOf } from '../../config/fields.ts';
import { isNot, plainSentence } from '../../config/sentences.ts';
import { flattenIssues, parseConfig } from '../../config/yaml.ts';
import { SpeechfbError } from '../../errors.ts';
import { routingPolicy } from '../../routing/policy/policy.ts';
import { didYouMean } from '../../suggest.ts';
import { policyOfText } from './policy-text.ts';
import type { SoundPolicy } from './policy-value.ts';

/** A file of flags as flagd reads it: JSON, of which at least one flag is a sound policy. */
export type FlagFile = { json: string; form: 'policy' | 'flagd'; at?: SoundPolicy['at'] };

/**
 * Reads a file that is a RoutingPolicy, or one of flagd (JSON or YAML) with a flag of which every
 * variant is one: what it says tells which. All of it is checked, at its lines, before any of it is
 * evaluated.
 *
 * @throws SpeechfbError `bad_config`
 */
export function readFlagFile(file: string, source: string, flag: string): FlagFile {
  if (isFlagd(file, source)) {
    const flags = parseConfig(file, source, flagdFile(flag));
    return { json: JSON.stringify(flags.whole), form: 'flagd' };
  }
  const { given, at } = policyOfText(file, source);
  return { json: flagdText(flag, given), form: 'policy', at };
}

/** Whether a text is one of flags, and no policy. */
function isFlagd(file: string, source: string): boolean {
  try {
    const value = parseConfig(file, source, z.unknown());
    return isMapping(value) && 'flags' in value && !('kind' in value);
  } catch (error) {
    // What cannot be read at all is told as a policy is.
    if (error instanceof SpeechfbError) return false;
    throw error;
  }
}

/** The policy as a flag that has one variant. */
function flagdText(flag: string, given: unknown): string {
  const only = { state: 'ENABLED', variants: { policy: given }, defaultVariant: 'policy' };
  return JSON.stringify({ flags: { [flag]: only } });
}

function flagdFile(flag: string) {
  const policyFlag = z
    .looseObject(
      {
        state: oneOf(['ENABLED', 'DISABLED']),
        variants: z
          .record(z.string(), routingPolicy, { error: (issue) => isNot(issue.input, 'a mapping of names to policies') })
          .refine((variants) => Object.keys(variants).length > 0, {
            error: () => 'is empty; write at least one policy',
          }),
        defaultVariant: z.string({ error: (issue) => isNot(issue.input, 'the name of a variant') }),
      },
      { error: (issue) => isNot(issue.input, `a flag with state, variants, defaultVariant (its name is "${flag}")`) },
    )
    .superRefine(checkFlag, { when: ({ value }) => isMapping(value) });
  const flags = z.looseObject({ [flag]: policyFlag }, { error: (issue) => isNot(issue.input, 'a mapping of flags') });
  return z.unknown().transform((whole, context) => {
    const checked = z.looseObject({ flags }).safeParse(whole, { error: plainSentence });
    if (checked.success) return { whole };
    for (const { path, message } of flattenIssues(checked.error.issues))
      context.addIssue({ code: 'custom', path, message });
    return z.NEVER;
  });
}

type Flag = { state?: string; variants?: Record<string, unknown>; defaultVariant?: string };

function checkFlag({ state, variants, defaultVariant }: Flag, context: z.RefinementCtx): void {
  const refuse = (path: string, message: string): void => {
    context.addIssue({ code: 'custom', path: [path], message });
  };
  if (state === 'DISABLED') refuse('state', 'is DISABLED, and without the flag there is no policy');
  if (!isMapping(variants) || defaultVariant === undefined || Object.hasOwn(variants, defaultVariant)) return;
  const names = Object.keys(variants);
  refuse(
    'defaultVariant',
    `"${defaultVariant}" is no variant${didYouMean(defaultVariant, names)}; there are ${names.join(', ')}`,
  );
}
