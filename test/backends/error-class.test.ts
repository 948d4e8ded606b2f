import { expect, it } from 'vitest';
import { type ErrorClass, errorClasses } from '../../src/backends/backend.ts';
import { backendError, type Failure } from '../../src/backends/error-class.ts';

const openaiQuota = 'You exceeded your current quota, please check your plan and billing details.';

it.each<[string, Omit<Failure, 'message'> & { message?: string }, ErrorClass]>([
  ['too many requests', { status: 429 }, 'rate'],
  ['a quota that is spent, which OpenAI answers with 429 too', { status: 429, code: 'insufficient_quota' }, 'budget'],
  ['the same by its sentence alone', { status: 429, message: openaiQuota }, 'budget'],
  ['a bill that nobody paid', { status: 402 }, 'budget'],
  ['Deepgram without credits', { status: 402, code: 'ASR_PAYMENT_REQUIRED' }, 'budget'],
  ['a key that nobody knows', { status: 401, code: 'invalid_api_key' }, 'auth'],
  ['a key that may not do this', { status: 403 }, 'auth'],
  ['a service that is full', { status: 503 }, 'fault'],
  ['a service that fails', { status: 500, message: 'rate_limit of the database' }, 'fault'],
  ['a path that is not there', { status: 404 }, 'fault'],
  ['a rate within a stream', { code: 'rate_limit_exceeded' }, 'rate'],
  ['a key within a stream', { code: 'INVALID_AUTH' }, 'auth'],
  ['a quota within a stream', { code: 'insufficient_quota' }, 'budget'],
  ['a socket that was cut', { message: 'read ECONNRESET' }, 'fault'],
])('classes %s', (_, { message = 'some words', ...failure }, expected) => {
  expect(errorClasses).toContain(expected);
  expect(backendError({ message, ...failure })).toEqual({ class: expected, message });
});

it.each([
  ['as it stands', 2000, { retryAfterMs: 2000 }],
  ['at once', 0, { retryAfterMs: 0 }],
  ['no longer than an hour', 86_400_000, { retryAfterMs: 3_600_000 }],
  ['not, where it lies in the past', -1, {}],
  ['not, where it is no number', Number.NaN, {}],
])('takes the wish to be left alone %s', (_, retryAfterMs, expected) => {
  expect(backendError({ message: 'busy', status: 429, retryAfterMs })).toEqual({
    class: 'rate',
    message: 'busy',
    ...expected,
  });
});
