import { describe, expect, it, onTestFinished } from 'vitest';
import { startFakeServer } from '../kit/fake-server.ts';
import { runProgram } from '../kit/program.ts';

describe('SIGTERM and SIGHUP are Ctrl-C', () => {
  it.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('for a recording that is played: %s', async (signal) => {
    const server = await startFakeServer();
    onTestFinished(() => server.close());
    const args = ['fixtures/audio/service.wav', '--text', 'a', '--url', server.url];
    const { code } = await runProgram(['stream', ...args], { when: 'phoneme_feedback', signal });
    expect(code).toBe(130);
  });

  it.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('for a proxy, which says what passed: %s', async (signal) => {
    const args = ['LTE', '--listen', ':0', '--upstream', '127.0.0.1:9'];
    const { code, stdout } = await runProgram(['netsim', ...args], { when: 'Ctrl-C ends it', signal });
    expect(stdout).toContain('0 connections');
    expect(code).toBe(0);
  });
});
