import { describe, expect, it } from 'vitest';
import { redactUrl, redactUrls } from '../src/redact.ts';
import { fromEnvironment, SecretUrl } from '../src/secret-url.ts';

describe('a URL as it may be shown', () => {
  it.each([
    ['ws://h:8090/v1/stream', 'ws://h:8090/v1/stream'],
    ['ws://h/v1?api_key=sk-1', 'ws://h/v1?api_key=***'],
    ['ws://h/v1?a=1&b=&sk-1', 'ws://h/v1?a=***&b=&***'],
    ['http://anna:pw@h/', 'http://***@h/'],
    ['http://token@h/x', 'http://***@h/x'],
    ['http://h/@me', 'http://h/@me'],
    ['redis+sentinel://u:p@a:1,b:2/m?sentinel_password=x@y', 'redis+sentinel://***@a:1,b:2/m?sentinel_password=***'],
    ['redis+cluster://a:1,b:2/@x', 'redis+cluster://a:1,b:2/@x'],
    ['redis+cluster://a,u:$&p@b', 'redis+cluster://***@b'],
    ['http://anna:p/w@h', 'http://***@h'],
    ['http://anna:p#w@h', 'http://***@h'],
    ['anna:pw@h:9091', '***@h:9091'],
    ['gateway:9091', 'gateway:9091'],
    ['ws://h/v1#sk-1', 'ws://h/v1#***'],
    ['ws://${env:USER}:${env:PW}@h?k=${env:KEY}', 'ws://${env:USER}:${env:PW}@h?k=${env:KEY}'],
  ])('%s is %s', (url, shown) => {
    expect(redactUrl(url)).toBe(shown);
    expect(redactUrl(shown)).toBe(shown);
  });

  it('keeps the sentence around it', () => {
    expect(redactUrls('nothing at ws://h?k=sk-1: refused (see http://a:b@h).')).toBe(
      'nothing at ws://h?k=***: refused (see http://***@h).',
    );
  });
});

describe('every URL in a text', () => {
  it.each([
    ['at ws://u:p@h/a?k=v.', 'at ws://***@h/a?k=***.'],
    ['(1ws://u:p@h)', '(1ws://***@h)'],
    [`${'s'.repeat(60)}://u:p@h`, `${'s'.repeat(60)}://***@h`],
  ])('of "%s" is "%s"', (text, shown) => {
    expect(redactUrls(text)).toBe(shown);
  });

  it.each([
    ['what might be schemes', 'a.'.repeat(200_000)],
    ['the ends of a sentence', `ws://h/${'.'.repeat(400_000)}x`],
  ])('is found in time that grows with the text alone: %s', (_, text) => {
    const begin = performance.now();
    redactUrls(text);
    // Going through it once for each of its characters would take minutes.
    expect(performance.now() - begin).toBeLessThan(30_000);
  });
});

describe('a secret URL', () => {
  const url = SecretUrl.parse('http://anna:p%40ss@h:9091/base/?key=sk-123456', 'http');

  it('connects with everything, and sends user and password as Basic auth', () => {
    expect(url.below('/metrics').href).toBe('http://h:9091/base/metrics?key=sk-123456');
    expect(url.authorization).toEqual({ authorization: `Basic ${Buffer.from('anna:p@ss').toString('base64')}` });
  });

  it('shows nothing, however it becomes text', () => {
    const shown = 'http://***@h:9091/base/metrics?key=***';
    const below = url.below('/metrics');
    expect([`${below}`, JSON.parse(JSON.stringify({ below })).below]).toEqual([shown, shown]);
  });

  it('takes its secrets out of what others say, as written and as meant', () => {
    expect(url.hide('bad p@ss or p%40ss for sk-123456')).toBe('bad *** or *** for ***');
  });

  it('is shown as it was written when a variable is in it', () => {
    const from = SecretUrl.parse('ws://${env:HOST}/v1', 'websocket', { HOST: 'secret.example' });
    expect([from.href, `${from}`]).toEqual(['ws://secret.example/v1', 'ws://${env:HOST}/v1']);
  });
});

describe('a variable', () => {
  it.each([
    ['a ${env:A} b', 'a 1 b'],
    ['no $A and no {env:A}', 'no $A and no {env:A}'],
  ])('in "%s" makes "%s"', (given, text) => {
    expect(fromEnvironment(given, { A: '1' })).toBe(text);
  });

  it.each([
    ['${env:B}', 'the environment variable B is not set'],
    ['${env:EMPTY}', 'the environment variable EMPTY is empty'],
    ['${A}', '"${A}" is not filled in; write ${env:A}'],
    ['${A:-x}', '"${A:-x}" is not filled in; write ${env:NAME}'],
  ])('as "%s" is refused', (given, sentence) => {
    expect(() => fromEnvironment(given, { A: '1', EMPTY: '' })).toThrow(sentence);
  });
});
