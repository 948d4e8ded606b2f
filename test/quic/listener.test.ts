import { existsSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { expect, it, onTestFinished } from 'vitest';
import type { QuicLibrary, QuicServer } from '../../src/quic/library.ts';
import { QuicListener } from '../../src/quic/listener.ts';

it('the library has a directory of its own for the private key, and none is left', async () => {
  const seen: string[] = [];
  const { open } = scripted(() => {
    const directory = tmpdir();
    expect(statSync(directory).mode & 0o777).toBe(0o700);
    seen.push(directory);
  });
  const before = tmpdir();
  await open();
  expect(seen).toHaveLength(1);
  expect(seen).not.toContain(before);
  expect(tmpdir()).toBe(before);
  expect(seen.filter((directory) => existsSync(directory))).toEqual([]);
});

it('a certificate that the library does not take leaves what listens as it is', async () => {
  const { open, said } = scripted((port, certificate) => {
    if (certificate === 'bad') throw new Error('[x] the certificate is none');
    said.push(`listens with ${certificate}${port === 0 ? ' on trial' : ''}`);
  });
  const listener = await open();
  await expect(listener.renew({ certificate: 'bad', key: '' })).rejects.toMatchObject({ code: 'bad_tls' });
  expect(said).toEqual(['listens with old', 'closes bad']);
  expect(await listener.renew({ certificate: 'new', key: '' })).toBe(0);
  expect(said.slice(2)).toEqual(['listens with new on trial', 'closes new', 'closes old', 'listens with new']);
});

it('a port that somebody else was given meanwhile is tried again', async () => {
  let isTaken = 0;
  const { open, said } = scripted((port, certificate) => {
    if (certificate === 'new' && port !== 0 && isTaken++ < 2) throw new Error('address already in use');
    said.push(`listens with ${certificate}${port === 0 ? ' on trial' : ''}`);
  });
  const listener = await open();
  await listener.renew({ certificate: 'new', key: '' });
  expect(said.at(-1)).toBe('listens with new');
  expect(isTaken).toBe(3);
});

it('a listener that is closed while it renews is closed', async () => {
  const { open, said } = scripted((_, certificate) => void said.push(`listens with ${certificate}`));
  const listener = await open();
  const renewed = listener.renew({ certificate: 'new', key: '' });
  await listener.close();
  await renewed;
  const count = (what: string) => said.filter((one) => one === what).length;
  expect(count('closes new')).toBe(count('listens with new'));
  expect(count('closes old')).toBeGreaterThan(0);
});

/** A library whose servers listen, or not, as `listen` says. */
function scripted(listen: (port: number, certificate: string) => void) {
  const said: string[] = [];
  const library: Pick<QuicLibrary, 'createQuicServer'> = {
    createQuicServer: ({ cert }): QuicServer => ({
      on() {},
      // What the real one does, it does before it returns, too.
      listen(port) {
        try {
          listen(port, cert);
        } catch (error) {
          return Promise.reject(error);
        }
        return Promise.resolve({ port: port === 0 ? 4433 : port });
      },
      close: async () => void said.push(`closes ${cert}`),
    }),
  };
  const open = async () => {
    const listener = await QuicListener.open({
      library: library as QuicLibrary,
      ...{ host: '127.0.0.1', port: 4433, certificate: 'old', key: '' },
      ...{ mostConnections: 1, handshakeMs: 1000, idleMs: 1000, onSocket() {}, onSilent() {} },
    });
    onTestFinished(() => listener.close());
    return listener;
  };
  return { open, said };
}
