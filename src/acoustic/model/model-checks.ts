import type { Problem } from '../../errors.ts';
import type { ModelJson } from './model-schema.ts';

/** What the schema cannot say: fields of model.json that do not fit together. */
export function crossChecks(model: ModelJson): Problem[] {
  return [...featureProblems(model), ...timeProblems(model), ...phoneProblems(model), ...stateProblems(model)];
}

function featureProblems({ features, sample_rate_hz }: ModelJson): Problem[] {
  const problems: Problem[] = [];
  const { bins, fft, low_hz, high_hz, normalisation } = features;
  for (const key of ['mean', 'deviation'] as const) {
    const { length } = normalisation[key];
    if (length !== bins) {
      problems.push({
        where: `features.normalisation.${key}`,
        message: `${length} values; allowed: ${bins}, one a bin`,
      });
    }
  }
  for (const key of ['window_ms', 'hop_ms'] as const) {
    const samples = (features[key] * sample_rate_hz) / 1000;
    if (!Number.isInteger(samples)) {
      problems.push({
        where: `features.${key}`,
        message: `${features[key]} ms is ${samples} samples; allowed: whole ones`,
      });
    }
  }
  if (features.hop_ms > features.window_ms) {
    const allowed = `up to window_ms (${features.window_ms})`;
    problems.push({ where: 'features.hop_ms', message: `${features.hop_ms}; allowed: ${allowed}` });
  }
  const windowSamples = (features.window_ms * sample_rate_hz) / 1000;
  if (fft < windowSamples || fft % 32 !== 0 || !onlySmallFactors(fft)) {
    const allowed = `a multiple of 32 with factors 2, 3 and 5, at least the window's ${windowSamples} samples`;
    problems.push({ where: 'features.fft', message: `${fft}; allowed: ${allowed}` });
  }
  if (!(low_hz < high_hz && high_hz <= sample_rate_hz / 2)) {
    const allowed = `low_hz < high_hz <= ${sample_rate_hz / 2}, half the sample rate`;
    problems.push({ where: 'features.high_hz', message: `${low_hz} to ${high_hz} Hz; allowed: ${allowed}` });
  }
  return problems;
}

function timeProblems({ features, stride_ms, lookahead_ms }: ModelJson): Problem[] {
  const stepMs = features.hop_ms * features.stack;
  const problems: Problem[] = [];
  if (Math.abs(stride_ms - stepMs) > 1e-9) {
    problems.push({ where: 'stride_ms', message: `${stride_ms}; allowed: ${stepMs}, hop_ms x stack` });
  }
  if (Math.abs(lookahead_ms / stride_ms - Math.round(lookahead_ms / stride_ms)) > 1e-9) {
    problems.push({
      where: 'lookahead_ms',
      message: `${lookahead_ms}; allowed: multiples of stride_ms (${stride_ms})`,
    });
  }
  return problems;
}

function phoneProblems({ phones, silence, language, alignment_bias }: ModelJson): Problem[] {
  const problems: Problem[] = [];
  if (alignment_bias && alignment_bias.length !== phones.length) {
    const message = `${alignment_bias.length} values; allowed: ${phones.length}, one a phone`;
    problems.push({ where: 'alignment_bias', message });
  }
  phones.forEach((phone, i) => {
    const first = phones.indexOf(phone);
    if (first < i) problems.push({ where: `phones[${i}]`, message: `"${phone}" is phones[${first}] already` });
  });
  if (!phones.includes(silence)) {
    problems.push({
      where: 'silence',
      message: `"${silence}" is not one of the phones; allowed: ${phones.join(', ')}`,
    });
  }
  // English words reach the model as ARPAbet: each of its phones needs an output. Others (noise,
  // fillers) may stand beside.
  const missing = /^en\b/i.test(language) ? arpabet.filter((phone) => !phones.includes(phone)) : [];
  if (missing.length > 0) {
    const strangers = phones.filter((phone) => phone !== silence && !arpabet.includes(phone));
    const seen = strangers.length > 0 ? ` (it has ${strangers.join(', ')})` : '';
    problems.push({
      where: 'phones',
      message: `lacks ${missing.join(', ')} of ARPAbet's 39, which language "${language}" needs${seen}`,
    });
  }
  return problems;
}

function stateProblems({ states, inputs, outputs }: ModelJson): Problem[] {
  const problems: Problem[] = [];
  const taken = new Map([[inputs.features, 'inputs.features']]);
  const given = new Map([[outputs.log_posterior, 'outputs.log_posterior']]);
  if (outputs.score_logit) given.set(outputs.score_logit, 'outputs.score_logit');
  states.forEach((state, i) => {
    for (const [names, side] of [[taken, 'input'] as const, [given, 'output'] as const]) {
      const where = `states[${i}].${side}`;
      const other = names.get(state[side]);
      if (other) problems.push({ where, message: `tensor "${state[side]}" is ${other} already` });
      else names.set(state[side], where);
    }
  });
  return problems;
}

const arpabet =
  'AA AE AH AO AW AY B CH D DH EH ER EY F G HH IH IY JH K L M N NG OW OY P R S SH T TH UH UW V W Y Z ZH'.split(' ');

function onlySmallFactors(value: number): boolean {
  let rest = value;
  for (const factor of [2, 3, 5]) while (rest % factor === 0) rest /= factor;
  return rest === 1;
}
