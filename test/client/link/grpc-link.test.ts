import { createServer } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { createDialect, dialectSpec } from '../../../src/dialects/catalogue.ts';
import { formatError, SpeechfbError } from '../../../src/errors.ts';
import { preflight } from '../../../src/load/generator/preflight.ts';
import { SecretUrl } from '../../../src/secret-url.ts';
import { localhostTls } from '../../kit/localhost.ts';
import { type RivaOptions, startRiva } from '../../kit/vendors/riva.ts';
import { everybodySays } from '../../kit/vendors/script.ts';

const read = dialectSpec('riva');
const dialect = createDialect(('spec' in read && read.spec) || expect.fail('no riva'));

async function start(options: Partial<RivaOptions> = {}): Promise<string> {
  const riva = await startRiva({ find: everybodySays([], 1000), ...options });
  onTestFinished(() => riva.close());
  return riva.url;
}

/** What a load test says before any load; empty: it would begin. */
async function said(url: string, more: { token?: string; tls?: { ca?: string; insecure?: true } } = {}) {
  const target = { url: SecretUrl.parse(url, 'stream'), token: more.token, tls: more.tls, dialect };
  try {
    await preflight(target);
    return '';
  } catch (error) {
    if (error instanceof SpeechfbError) return formatError(error);
    throw error;
  }
}

it('reaches a server, and one with a certificate that it is told to trust', async () => {
  expect(await said(await start())).toBe('');
  const url = await start({ tls: localhostTls });
  expect(await said(url, { tls: { ca: localhostTls.certificate } })).toBe('');
  expect(await said(url, { tls: { insecure: true } })).toBe('');
});

it('sends no address as the name of a server, of which Node would warn', async () => {
  const url = (await start({ tls: localhostTls })).replace('localhost', '127.0.0.1');
  const warnings: string[] = [];
  const onWarning = ({ message }: Error) => warnings.push(message);
  process.on('warning', onWarning);
  onTestFinished(() => void process.off('warning', onWarning));
  expect(await said(url, { tls: { insecure: true } })).toBe('');
  expect(warnings).toEqual([]);
});

it('trusts no other, nor a certificate for another name', async () => {
  const url = await start({ tls: localhostTls });
  expect(await said(url)).toMatch(/nothing to load at grpcs:.*certificate.*trust its authority/is);
  const otherwise = url.replace('localhost', '127.0.0.1');
  const words = await said(otherwise, { tls: { ca: localhostTls.certificate } });
  expect(words).toMatch(/nothing to load at grpcs:\/\/127\.0\.0\.1:\d+: its certificate does not name 127\.0\.0\.1/);
});

it('is refused in the words of the server', async () => {
  const url = await start({ authorization: 'Bearer sesame' });
  expect(await said(url, { token: 'sesame' })).toBe('');
  const words = await said(url, { token: 'swordfish' });
  expect(words).toContain('refuses us before any load: UNAUTHENTICATED: no valid key was given');
  expect(words).toContain('--token-file');
  expect(words).not.toContain('swordfish');
});

it('says so where nothing answers, no TLS is spoken, or no gRPC', async () => {
  expect(await said('grpc://127.0.0.1:1')).toContain('nothing to load at grpc://127.0.0.1:1: connect ECONNREFUSED');
  expect(await said((await start()).replace('grpc:', 'grpcs:'))).toContain('what answers there does not speak TLS');
  const http = createServer((_, response) => response.end()).listen(0, '127.0.0.1');
  onTestFinished(() => void http.close());
  await new Promise((resolve) => http.once('listening', resolve));
  const words = await said(`grpc://127.0.0.1:${(http.address() as AddressInfo).port}`);
  expect(words).toContain('what answers there does not speak gRPC (HTTP/2)');
  expect(words).not.toMatch(/resolution|subchannel|undefined/i);
  const shut = createTcpServer((socket) => socket.end()).listen(0, '127.0.0.1');
  onTestFinished(() => void shut.close());
  await new Promise((resolve) => shut.once('listening', resolve));
  const last = await said(`grpc://127.0.0.1:${(shut.address() as AddressInfo).port}`);
  expect(last).toMatch(/: what answers there closes the connection at once \[connection_refused\]/);
});
