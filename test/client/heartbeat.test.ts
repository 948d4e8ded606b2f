import { expect, it } from 'vitest';
import { deadAfterMs, Pulse } from '../../src/client/heartbeat.ts';

it('a socket is asked once at a time, and its answer gives the round trip', () => {
  const pulse = new Pulse();
  pulse.begin(0);
  expect(pulse.ask(1000)).toBe(true);
  expect(pulse.ask(2000)).toBe(false);
  expect(pulse.answered(2050)).toBe(1050);
  expect(pulse.ask(3000)).toBe(true);
});

it('a pong that nobody asked for is a sign of life, and no round trip', () => {
  const pulse = new Pulse();
  pulse.begin(0);
  expect(pulse.answered(7000)).toBeUndefined();
  expect(pulse.silentMs(7000 + deadAfterMs)).toBeUndefined();
});

it('a socket is dead once nothing has come for eight seconds, from its opening on', () => {
  const pulse = new Pulse();
  expect(pulse.silentMs(100_000)).toBeUndefined();
  pulse.begin(1000);
  expect(pulse.silentMs(1000 + deadAfterMs)).toBeUndefined();
  expect(pulse.silentMs(1001 + deadAfterMs)).toBe(deadAfterMs + 1);
  pulse.heard(9000);
  expect(pulse.silentMs(9500)).toBeUndefined();
  pulse.begin(20_000);
  expect(pulse.silentMs(20_001)).toBeUndefined();
});
