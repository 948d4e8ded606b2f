import { z } from 'zod';
import { oneOf, section, shown, text, throughUnit } from '../../config/fields.ts';
import { SpeechfbError } from '../../errors.ts';
import { parsePercent } from '../../units.ts';
import { dayMs, share, timeUs } from './network-fields.ts';
import type { Loss } from './profile.ts';

/** `1%`; netem's `gemodel p r 1-h 1-k`; or a model by name. */
export function loss() {
  return z.union([text('a loss').transform(throughUnit(parseLoss)), modelled], {
    error: (issue) =>
      `${shown(issue.input)} is not a loss; write 1%, "gemodel 1% 32% 100% 0%", or {model: gilbert-elliott, good: 8s, bad: 120ms}`,
  });
}

/**
 * `1%` and `random 1%`: each packet on its own. `gemodel p [r [1-h [1-k]]]` as tc-netem(8) defines
 * it: p and r move the state with each packet, 1-h is the loss in the bad state (100 % if left
 * out), 1-k in the good one (0 %); r left out is 1 - p.
 */
function parseLoss(given: string): Loss {
  const [word, ...rest] = given.trim().split(/\s+/);
  if (word === 'none') return noLoss;
  if (word === 'gemodel') return gemodel(given, rest);
  const value = word === 'random' ? rest.join(' ') : given;
  if (/^\s*[\d.]+\s*$/.test(value) && Number(value) !== 0)
    throw new SpeechfbError('bad_unit', `loss "${given}" has no unit; write it as 1%`);
  return iid(shareOf(value));
}

const noLoss: Loss = { model: 'none' };
const models = ['none', 'iid', 'gilbert-elliott'] as const;
const keysOf = {
  none: [],
  iid: ['share'],
  time: ['clock', 'good', 'bad', 'lossGood', 'lossBad'],
  packet: ['clock', 'p', 'r', 'lossGood', 'lossBad'],
} as const;
type Key = 'share' | 'clock' | 'good' | 'bad' | 'p' | 'r' | 'lossGood' | 'lossBad';

const modelled = section({
  model: oneOf(models),
  share: share().optional(),
  /**
   * `time`: dwells go on while nothing is sent. `packet`: netem's, whose state stands still then.
   */
  clock: oneOf(['time', 'packet']).optional(),
  good: timeUs(0.001, dayMs).optional(),
  bad: timeUs(0.001, dayMs).optional(),
  p: share().optional(),
  r: share().optional(),
  lossGood: share().optional(),
  lossBad: share().optional(),
}).transform((given, context): Loss => {
  const { model, clock = 'time', lossGood = 0, lossBad = 1 } = given;
  const kind = model === 'gilbert-elliott' ? clock : model;
  const allowed: readonly Key[] = keysOf[kind];
  const written = (Object.keys(given) as (Key | 'model')[]).filter((key) => given[key] !== undefined);
  const strange = written.filter((key) => key !== 'model' && !allowed.includes(key));
  const missing = allowed.filter((key) => !optional.includes(key) && given[key] === undefined);
  const named = kind === model ? `model ${model}` : `a ${model} with clock: ${clock}`;
  for (const key of strange) context.addIssue({ code: 'custom', path: [key], message: `does not belong to ${named}` });
  if (missing.length > 0) context.addIssue({ code: 'custom', message: `${named} needs ${missing.join(', ')}` });
  if (strange.length > 0 || missing.length > 0) return z.NEVER;
  if (kind === 'none') return noLoss;
  if (kind === 'iid') return iid(given.share!);
  if (kind === 'packet')
    return { model: 'gilbert-elliott', clock: 'packet', p: given.p!, r: given.r!, lossGood, lossBad };
  return { model: 'gilbert-elliott', clock: 'time', goodUs: given.good!, badUs: given.bad!, lossGood, lossBad };
});

const optional: readonly Key[] = ['clock', 'lossGood', 'lossBad'];

function gemodel(given: string, words: readonly string[]): Loss {
  const [p, r, lossBad = 1, lossGood = 0, ...rest] = words.map(shareOf);
  if (p === undefined || rest.length > 0)
    throw new SpeechfbError(
      'bad_unit',
      `"${given}" is not a gemodel; write "gemodel p r 1-h 1-k", such as gemodel 1% 32% 100% 0%`,
    );
  return { model: 'gilbert-elliott', clock: 'packet', p, r: r ?? 1 - p, lossGood, lossBad };
}

function iid(value: number): Loss {
  return value === 0 ? noLoss : { model: 'iid', share: value };
}

function shareOf(word: string): number {
  const value = parsePercent(word);
  if (value > 1) throw new SpeechfbError('bad_unit', `"${word}" is more than 100%`);
  return value;
}
