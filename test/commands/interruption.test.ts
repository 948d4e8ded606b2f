import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startFakeServer } from '../kit/fake-server.ts';

const bin = resolve(import.meta.dirname, '../../bin/speechfb');

describe('SIGTERM and SIGHUP are Ctrl-C', () => {
  it.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('for a recording that is played: %s', async (signal) => {
    const server = await startFakeServer();
    onTestFinished(() => server.close());
    const args = ['fixtures/audio/service.wav', '--text', 'a', '--url', server.url];
    const { code } = await interrupted('stream', args, 'phoneme_feedback', signal);
    expect(code).toBe(130);
  });

  it.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('for a proxy, which says what passed: %s', async (signal) => {
    const args = ['LTE', '--listen', ':0', '--upstream', '127.0.0.1:9'];
    const { code, said } = await interrupted('netsim', args, 'Ctrl-C ends it', signal);
    expect(said).toContain('0 connections');
    expect(code).toBe(0);
  });
});

/** Runs the command and sends the signal when it has said `moment`. */
async function interrupted(verb: string, args: string[], moment: string, signal: NodeJS.Signals) {
  const child = spawn(process.execPath, [bin, verb, ...args]);
  let [said, sent] = ['', false];
  const hear = (chunk: Buffer) => {
    said += chunk;
    if (!sent && said.includes(moment)) sent = child.kill(signal);
  };
  child.stdout.on('data', hear);
  child.stderr.on('data', hear);
  const [code] = await once(child, 'close');
  return { code, said };
}
