import { existsSync, readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { plainSentence } from '../../config/sentences.ts';
import { type Problem, SpeechfbError } from '../../errors.ts';
import { crossChecks } from './model-checks.ts';
import type { ModelPackage } from './model-package.ts';
import { type ModelJson, modelSchema } from './model-schema.ts';

/**
 * Reads the package in folder `dir` (model.json and the files it names). Every problem is reported
 * at once, by JSON path. The ONNX file itself is judged when an engine opens it. Errors:
 * `model_not_found`, `bad_model`.
 */
export function loadModelPackage(dir: string): ModelPackage {
  const path = join(dir, 'model.json');
  const model = parse(path, readText(dir, path));
  const problems = crossChecks(model);
  for (const key of ['onnx', 'onnx_cpu', 'calibration'] as const) {
    const file = model[key];
    if (file !== undefined && !existsSync(resolve(dir, file))) {
      problems.push({ where: key, message: `there is no file "${file}" in ${dir}` });
    }
  }
  if (problems.length > 0) throw badModel(path, problems);
  return toPackage(resolve(dir), model);
}

/** The error of a model package that does not hold together. */
export function badModel(path: string, problems: readonly Problem[]): SpeechfbError {
  const count = problems.length === 1 ? 'a problem' : `${problems.length} problems`;
  return new SpeechfbError('bad_model', `${path} has ${count}`, {
    problems,
    hint: 'docs/model.md describes every field',
  });
}

function readText(dir: string, path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    const found =
      existsSync(dir) && statSync(dir).isDirectory() ? 'the folder has no model.json' : 'there is no such folder';
    throw new SpeechfbError('model_not_found', `no model package at "${dir}": ${found}`, {
      hint: 'give the folder that holds model.json, such as models/en-learner',
      cause,
    });
  }
}

function parse(path: string, text: string): ModelJson {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw badModel(path, [{ message: 'it is not JSON' }]);
  }
  const result = modelSchema.safeParse(json, { error: plainSentence });
  if (result.success) return result.data;
  throw badModel(
    path,
    result.error.issues.map((issue) => toProblem(issue, json)),
  );
}

type Issue = { path: PropertyKey[]; message: string; code?: string };

function toProblem(issue: Issue, json: unknown): Problem {
  let value = json;
  let where = '';
  for (const key of issue.path) {
    value = (value as Record<PropertyKey, unknown> | undefined)?.[key];
    where += typeof key === 'number' ? `[${key}]` : `${where ? '.' : ''}${String(key)}`;
  }
  if (issue.code === 'unrecognized_keys') return { where: where || 'model.json', message: issue.message };
  const given = value === undefined ? 'missing' : shorten(JSON.stringify(value));
  return { where: where || 'model.json', message: `${given}; ${issue.message}` };
}

function shorten(text: string): string {
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}

function toPackage(dir: string, model: ModelJson): ModelPackage {
  const { features, outputs } = model;
  const { normalisation } = features;
  return {
    name: model.name,
    version: model.version,
    licence: model.licence,
    language: model.language,
    sampleRateHz: model.sample_rate_hz,
    onnxPath: resolve(dir, model.onnx),
    ...(model.onnx_cpu === undefined ? {} : { onnxCpuPath: resolve(dir, model.onnx_cpu) }),
    features: {
      type: features.type,
      windowMs: features.window_ms,
      hopMs: features.hop_ms,
      fft: features.fft,
      window: features.window,
      bins: features.bins,
      lowHz: features.low_hz,
      highHz: features.high_hz,
      floor: features.floor,
      stack: features.stack,
      normalisation: {
        type: normalisation.type,
        priorFrames: normalisation.prior_frames,
        gateNats: normalisation.gate_nats,
        decayNatsPerFrame: normalisation.decay_nats_per_frame,
        mean: normalisation.mean,
        deviation: normalisation.deviation,
      },
    },
    phones: model.phones,
    silence: model.silence,
    strideMs: model.stride_ms,
    lookaheadMs: model.lookahead_ms,
    inputs: { features: model.inputs.features },
    states: model.states,
    outputs: {
      logPosterior: outputs.log_posterior,
      ...(outputs.score_logit === undefined ? {} : { scoreLogit: outputs.score_logit }),
    },
    ...(model.alignment_bias === undefined ? {} : { alignmentBias: model.alignment_bias }),
    ...(model.calibration === undefined ? {} : { calibrationPath: resolve(dir, model.calibration) }),
  };
}
