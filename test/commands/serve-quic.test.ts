import { describe, expect, it } from 'vitest';
import { checkQuic } from '../../src/commands/serve/quic.ts';
import type { ServeFlags } from '../../src/commands/serve/settings.ts';
import { runProgram } from '../kit/program.ts';

const flags = { quic: 0, role: 'all', tlsCert: 'cert.pem', tlsKey: 'key.pem' } as ServeFlags;

describe('speechfb serve --quic', () => {
  it.each([
    ['without a certificate', { tlsCert: undefined, tlsKey: undefined }, '--quic needs a certificate'],
    ['of a node', { role: 'inference' }, '--quic is not for --role inference'],
    ['of several gateways', { gateways: 2 }, '--quic does not go with --gateways 2: one process takes all that comes'],
  ] as const)('%s is refused', async (_, changes, message) => {
    const given = { ...flags, ...changes } as ServeFlags;
    await expect(checkQuic(given)).rejects.toMatchObject({
      code: 'bad_flag',
      exitCode: 2,
      message: expect.stringContaining(message),
    });
    await expect(checkQuic({ ...given, quic: undefined } as unknown as ServeFlags)).resolves.toBeUndefined();
  });
});

describe('speechfb stream --transport', () => {
  it('is refused where the URL is not encrypted', async () => {
    const args = ['stream', 'fixtures/audio/busy.wav', '--text', 'a', '--url', 'ws://127.0.0.1:1'];
    const { code, stdout, stderr } = await runProgram([...args, '--transport', 'quic-stream']);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toBe(
      'speechfb: --transport quic-stream needs a wss:// URL, but --url is ws://127.0.0.1:1/v1/stream [bad_flag]\n',
    );
  });
});
