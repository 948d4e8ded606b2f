import type { z } from 'zod';
import { parseDocuments } from '../../config/documents.ts';
import { readText } from '../../config/read-chunks.ts';
import { SpeechfbError } from '../../errors.ts';
import { type Canary, canaryFile, canaryOf } from '../../slo/canary/canary.ts';
import { type BurnMode, burnModes } from '../../slo/service-level/burn-rule.ts';
import { shippedOr } from '../shipped.ts';
import type { CanaryFlags } from './flags.ts';

/** The analysis of a file, or for `plan` without one the single step that the flags describe. */
export function readCanary(file: string | undefined, flags: CanaryFlags): Canary {
  const canary = file === undefined ? fromFlags(flags) : fromFile(file, flags);
  return flags.mode === undefined ? canary : { ...canary, rollback: { ...canary.rollback, mode: modeOf(flags.mode) } };
}

function fromFile(given: string, flags: CanaryFlags): Canary {
  const file = shippedOr('canary analysis', given);
  const changed = (Object.keys(flagDefaults) as FlagName[]).filter((name) => flags[name] !== undefined);
  if (changed.length > 0) {
    const names = changed.map((name) => `--${name}`).join(', ');
    throw new SpeechfbError('bad_flag', `${names} cannot change what ${file} says; edit the file, or plan without one`);
  }
  const documents = parseDocuments(file, readText(file, 'canary analysis'), 'CanaryAnalysis', canaryFile);
  const chosen = flags.name === undefined ? documents : documents.filter((document) => document.name === flags.name);
  if (chosen.length === 1) return canaryOf(chosen[0]!.value);
  const names = documents.map((document) => document.name).join(', ');
  const message =
    flags.name === undefined ? `${file} has ${documents.length} analyses` : `${file} has no "${flags.name}"`;
  throw new SpeechfbError('bad_flag', `${message}: ${names}`, { hint: 'choose one with --name' });
}

/**
 * The example that everyone argues about: burn above 2 for 10 minutes at 99 % and an event a
 * second.
 */
const flagDefaults = { target: '99%', traffic: '60/min', burn: '2', for: '10m', hold: '1h', detect: '4' } as const;
type FlagName = keyof typeof flagDefaults;

function fromFlags(flags: CanaryFlags): Canary {
  const { target, traffic, burn, for: length, hold, detect } = { ...flagDefaults, ...flags };
  const result = canaryFile.safeParse({
    apiVersion: 'speechfb.dev/v1alpha1',
    kind: 'CanaryAnalysis',
    metadata: { name: 'flags' },
    spec: {
      target,
      traffic,
      steps: [{ share: '100%', hold }],
      rollback: { burn: Number(burn), for: length, mode: 'window' },
      detect: Number(detect),
    },
  });
  if (result.success) return canaryOf(result.data);
  const problems = result.error.issues.map(({ path, message }) => ({ where: flagOf(path), message }));
  throw new SpeechfbError('bad_flag', 'the flags do not describe a rollout', { problems });
}

function flagOf(path: z.core.$ZodIssue['path']): string {
  const names = Object.keys(flagDefaults);
  const key = path.toReversed().find((part) => names.includes(String(part)));
  return key === undefined ? path.join('.') : `--${String(key)}`;
}

function modeOf(text: string): BurnMode {
  const mode = burnModes.find((one) => one === text);
  if (mode) return mode;
  throw new SpeechfbError('bad_flag', `--mode "${text}" is not allowed; allowed: ${burnModes.join(', ')}`);
}
