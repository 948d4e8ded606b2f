import { dirname, resolve } from 'node:path';
import type { Credentials } from '../client/dialect-links.ts';
import type { TlsOptions } from '../client/link/websocket-connection.ts';
import { readToken } from '../client/token.ts';
import { readText } from '../config/read-chunks.ts';
import { deepgram } from '../dialects/deepgram.ts';
import { openaiRealtime } from '../dialects/openai-realtime.ts';
import { SpeechfbError } from '../errors.ts';
import { type Script, script } from '../routing/policy/script.ts';
import type { RoutedBackend } from '../routing/policy/spec.ts';
import { fromEnvironment, SecretUrl } from '../secret-url.ts';
import type { Backend } from './backend.ts';
import { dialectBackend } from './dialect-backend.ts';
import { type GuardedBackend, guard } from './guard.ts';
import type { BackendGuardOptions } from './guard-options.ts';
import { httpBatch } from './http-batch.ts';
import { RetryBudget } from './retry-budget.ts';
import { scripted } from './scripted.ts';
import { sherpaOnnx } from './sherpa.ts';
import { systemTime, type Time } from './time.ts';

export type BackendSources = {
  /** The own model, by the name that the policy gives it: see `localBackend`. */
  local(name: string): Backend;
  /** Files of a policy are sought beside it. */
  policyFile: string;
  time?: Time | undefined;
  onChange?: BackendGuardOptions['onChange'];
  timeouts?: BackendGuardOptions['timeouts'];
  /** Shared with backends that are made elsewhere; default: one of their own. */
  retryBudget?: RetryBudget | undefined;
};

/**
 * The backends of a policy by their names, each with its guards, and one budget of retries for all.
 * Nothing is connected yet; secrets are read from the environment and from files. Throws
 * `unset_variable`, `bad_url`, `unreadable_file` or `bad_token_file` with the backend's name, and
 * quotes no secret.
 */
export function createBackends(
  backends: readonly RoutedBackend[],
  sources: BackendSources,
): ReadonlyMap<string, GuardedBackend> {
  const { time = systemTime, onChange, timeouts, retryBudget = new RetryBudget() } = sources;
  return new Map(
    backends.map((spec) => {
      const { name, price, most, maxSessions } = spec;
      const backend = named(name, () => createBackend(spec, sources, time, retryBudget));
      return [name, guard(backend, { price, most, maxSessions, retryBudget, time, onChange, timeouts })];
    }),
  );
}

function createBackend(spec: RoutedBackend, sources: BackendSources, time: Time, retryBudget: RetryBudget): Backend {
  const { name, kind, model } = spec;
  switch (kind) {
    case 'local':
      return sources.local(name);
    case 'scripted':
      return scripted(name, spec.script ?? noScript, time);
    case 'http-batch': {
      const { url, apiKey, tls } = placeOf(spec, 'http', 'https://api.openai.com', sources);
      const whole = url.hasPath ? url : url.below('/v1/audio/transcriptions');
      return httpBatch({
        name,
        url: whole,
        apiKey,
        model: model ?? 'gpt-4o-transcribe',
        tls,
        hedgeAfterMs: spec.hedgeAfter,
        retryBudget,
        time,
      });
    }
    case 'deepgram': {
      const { url, apiKey, tls } = placeOf(spec, 'websocket', 'wss://api.deepgram.com', sources);
      const dialect = deepgram({ sampleRateHz: spec.sampleRate ?? 16_000, query: { model: model ?? 'nova-3' } });
      return dialectBackend({ name, kind, dialect, url, credentials: showing('Token', apiKey), tls, time });
    }
    case 'openai-realtime': {
      const { url, apiKey, tls } = placeOf(spec, 'websocket', 'wss://api.openai.com', sources);
      const options = {
        model: model ?? 'gpt-4o-transcribe',
        sampleRateHz: spec.sampleRate,
        turnDetection: 'none',
      } as const;
      const dialect = openaiRealtime(options);
      return dialectBackend({ name, kind, dialect, url, credentials: showing('Bearer', apiKey), tls, time });
    }
    case 'sherpa-onnx':
      // A policy that names none is refused when it is read.
      return sherpaOnnx({ name, directory: resolve(dirname(sources.policyFile), spec.directory!) });
  }
}

type Place = { url: SecretUrl; apiKey: string | undefined; tls: TlsOptions | undefined };

/** Where a managed backend is, and what lets us in. */
function placeOf(
  { url, apiKey, ca }: RoutedBackend,
  scheme: 'http' | 'websocket',
  vendor: string,
  { policyFile }: BackendSources,
): Place {
  const beside = (file: string): string => resolve(dirname(policyFile), file);
  return {
    url: SecretUrl.parse(url ?? vendor, scheme),
    apiKey: apiKey === undefined ? undefined : secretOf(apiKey, beside),
    tls: ca === undefined ? undefined : { ca: readText(beside(ca), 'certificate authority') },
  };
}

function secretOf(reference: string, beside: (file: string) => string): string {
  const file = /^\$\{file:(.*)\}$/.exec(reference)?.[1];
  const secret = file === undefined ? fromEnvironment(reference) : readToken(beside(file));
  if (/^[\x21-\x7e]+$/.test(secret)) return secret;
  throw new SpeechfbError(
    'bad_token_file',
    `what ${reference} stands for is no key: it has blanks or letters that are not ASCII`,
  );
}

/** The header that Deepgram calls `Token KEY`, and everybody else `Bearer KEY`. */
function showing(scheme: 'Token' | 'Bearer', apiKey: string | undefined): Credentials {
  const headers = apiKey === undefined ? {} : { authorization: `${scheme} ${apiKey}` };
  return { headers, query: {}, subprotocols: [], secrets: apiKey === undefined ? [] : [apiKey] };
}

function named<T>(name: string, make: () => T): T {
  try {
    return make();
  } catch (error) {
    if (!(error instanceof SpeechfbError)) throw error;
    throw new SpeechfbError(error.code, `backend ${name}: ${error.message}`, { cause: error });
  }
}

const noScript: Script = script.parse({});
