import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { speechfb } from '../kit/command.ts';
import { localhostTls } from '../kit/localhost.ts';
import { temporaryDirectory } from '../kit/temporary-directory.ts';
import { deepgram } from '../kit/vendors/deepgram.ts';
import { startVendor, type Vendor } from '../kit/vendors/emulator.ts';
import { type InventedProtocol, invented } from '../kit/vendors/invented.ts';
import type { Said } from '../kit/vendors/recogniser.ts';
import { ClipBook } from '../kit/vendors/script.ts';

/** What a probe says of a machine with other things to do. */
const lateMachine = /^this machine was up to .* late in sending: .*\n/m;

const { find } = new ClipBook().addManifest('fixtures/audio/manifest.jsonl');
const clip = 'fixtures/audio/unlock.wav';
const text = 'To lock or unlock the conference.';

async function start(vendor: Vendor, options: { key?: string } = {}): Promise<string> {
  const running = await startVendor(vendor, { find, ...options });
  onTestFinished(() => running.close());
  return running.url;
}

/** Says what has been heard so far, and whether that is all; its sound comes in binary messages. */
const acme: InventedProtocol = {
  path: '/stt',
  rateHz: 16_000,
  habits: { emitMs: 200, lagMs: 100, endpointMs: undefined },
  greeting: { kind: 'hello', session: { id: 'a7', limits: [1, 2] } },
  understand: ({ cmd }) => (cmd === 'flush' ? 'finish' : undefined),
  answer: ({ is, coversMs, words }) => ({
    kind: 'result',
    payload: { complete: is === 'final', sentence: words.map((word) => word.text).join(' '), upto: coversMs / 1000 },
  }),
  error: { kind: 'oops', message: 'no' },
};

function answerOfVosk({ is, words }: Said): object {
  const said = words.map((word) => word.text).join(' ');
  return is === 'final' ? { text: said } : { partial: said };
}

const { greeting: _, ...silent } = acme;
const ofVosk: InventedProtocol = { ...silent, answer: answerOfVosk };

const mapping = `apiVersion: speechfb.dev/v1alpha1
kind: StreamProtocol
metadata: { name: acme }
spec:
  audio: { encoding: pcm_s16le, message: 100ms }
  utteranceOver: [{ send: { cmd: flush } }]
  receive:
    - { when: { /payload/complete: true }, is: final, text: /payload/sentence, coversTo: /payload/upto, unit: s }
    - { when: { kind: result }, is: partial, text: /payload/sentence, coversTo: /payload/upto, unit: s }
`;

describe('a probe', () => {
  it('shows each message, what it was taken for, and how far behind the voice; what no rule is for stands out', async () => {
    const url = await start(invented(acme));
    const file = join(temporaryDirectory(), 'acme.yaml');
    writeFileSync(file, mapping);
    const { status, stdout, stderr } = await speechfb('probe', url, clip, '--protocol', file, '--text', text);
    expect(stderr.replace(lateMachine, '')).toBe('');
    expect(stdout).toMatch(/<- +-?\d\.\d\d s {2}NOT UNDERSTOOD no rule matches it/);
    expect(stdout).toContain('{"kind":"hello","session":{"id":"a7","limits":[1,2]}}');
    expect(stdout).toMatch(
      /<- +\d\.\d\d s {2}partial {2}"to lock or.*" {2}covers \d\.\d\d s {2}\(\d+(\.\d+)? ms\)\n {12}\{"kind":"result"/i,
    );
    expect(stdout).toMatch(/<- +\d\.\d\d s {2}final {4}"to lock or unlock the conference"/i);
    expect(stdout).toMatch(/│ conference +│ +\d\.\d\d s │ +\d\.\d\d s │/);
    expect(stdout).toContain('wer         0 %: 0 of 6 words wrong');
    expect(stdout).toMatch(/measurable {2}feedback_latency, .*word_latency/);
    expect(stdout).not.toContain('phones');
    expect(status).toBe(0);
  });

  it('is one document with --json', async () => {
    const url = await start(deepgram, { key: 'opensesame' });
    process.env.PROBE_KEY = 'opensesame';
    onTestFinished(() => {
      delete process.env.PROBE_KEY;
    });
    const flags = ['--protocol', 'deepgram', '--header', 'Authorization: Token ${env:PROBE_KEY}', '--json'];
    const { status, stdout, stderr } = await speechfb('probe', url, clip, '--text', text, ...flags);
    expect(stderr.replace(lateMachine, '')).toBe('');
    expect(stdout).not.toContain('sesame');
    const found = JSON.parse(stdout);
    expect(found).toMatchObject({
      kind: 'Probe',
      protocol: 'deepgram',
      looks_like: 'deepgram',
      wer: { wrong: 0, spoken: 6 },
    });
    expect(found.words.map(({ text }: { text: string }) => text).join(' ')).toBe('to lock or unlock the conference');
    for (const { end_ms, first_ms, final_ms } of found.words) {
      expect(first_ms).toBeGreaterThan(end_ms - 200);
      expect(final_ms).toBeGreaterThanOrEqual(first_ms);
    }
    expect(found.messages.at(-1).at_ms).toBeGreaterThan(found.sound_ms - 200);
    expect(status).toBe(0);
  });

  it('of a server that speaks another dialect says which it looks like, and is invalid', async () => {
    const url = await start(invented(ofVosk));
    const { status, stdout, stderr } = await speechfb(
      ...['probe', url, clip, '--protocol', 'deepgram', '--text', text, '--final-timeout', '500ms'],
    );
    expect(stdout).toContain('NOT UNDERSTOOD');
    expect(stdout).toContain('no final came');
    expect(stderr).toContain('its messages look like those of vosk: try --protocol vosk');
    expect(status).toBe(98);
  });

  it('learns a first mapping that understands every message and measures the same', async () => {
    const url = await start(invented(acme));
    const file = join(temporaryDirectory(), 'acme.yaml');
    const learned = await speechfb(
      ...[
        'probe',
        url,
        clip,
        '--learn',
        file,
        '--send-last',
        '{"cmd":"flush"}',
        '--text',
        text,
        '--final-timeout',
        '500ms',
      ],
    );
    expect(learned.stderr).toContain(`a first mapping is in ${file}`);
    expect(learned.status).toBe(0);
    expect(readFileSync(file, 'utf8')).toContain('/payload/sentence');
    const { status, stdout } = await speechfb('probe', url, clip, '--protocol', file, '--text', text, '--json');
    const found = JSON.parse(stdout);
    const kinds = found.messages.flatMap(({ taken_for }: { taken_for: { is: string }[] }) =>
      taken_for.map(({ is }) => is),
    );
    expect(new Set(kinds)).toEqual(new Set(['nothing', 'partial', 'final']));
    expect(found.measurable).toContain('feedback_latency');
    expect(found.wer).toEqual({ wrong: 0, spoken: 6 });
    expect(status).toBe(0);
    // It is not written over.
    const again = await speechfb('probe', url, clip, '--learn', file, '--text', text, '--final-timeout', '200ms');
    expect(again.stderr).toContain('it is there already');
    expect(again.status).toBe(2);
  });

  it.each<[string, string[], string]>([
    ['without a protocol', [], 'say what the server speaks with --protocol, or find out with --learn FILE'],
    [
      'of no protocol that is known',
      ['--protocol', 'vosc'],
      '--protocol: "vosc" is no protocol (did you mean "vosk"?)',
    ],
    ['of ours', ['--protocol', 'speechfb'], 'speechfb is shown by another command'],
    [
      'with a secret on the command line',
      ['--protocol', 'vosk', '--header', 'X-Key: abc'],
      'is a secret, which no file',
    ],
    ['with a variable that is not set', ['--protocol', 'vosk', '--header', 'X-Key: ${env:NO_SUCH_KEY}'], 'NO_SUCH_KEY'],
    ['with an empty text', ['--protocol', 'vosk', '--text', ' '], '--text: is empty'],
    ['with an option that the protocol does not have', ['--protocol', 'vosk', '--option', 'model=x'], 'model'],
  ])('%s says so and sends nothing', async (_, flags, sentence) => {
    const { status, stdout, stderr } = await speechfb('probe', 'ws://127.0.0.1:9', clip, '--text', text, ...flags);
    expect(stdout).toBe('');
    expect(stderr).toContain(sentence);
    expect(stderr).not.toContain('abc');
    expect(status).toBe(2);
  });

  it('sends nothing to the host of another without consent', async () => {
    const flags = ['--protocol', 'deepgram', '--text', text];
    const refused = await speechfb('probe', 'wss://speech.example.com/v1/listen', clip, ...flags);
    expect(refused.stderr).toContain('speech.example.com may belong to others');
    expect(refused.stderr).toContain('--yes-load speech.example.com');
    expect(refused.status).toBe(2);
    const other = await speechfb('probe', 'wss://speech.example.com', clip, ...flags, '--yes-load', 'example.com');
    expect(other.stderr).toContain('--yes-load is for "example.com", but the server is "speech.example.com"');
  });

  it.each<[string, boolean, string[], string, string]>([
    ['does not speak TLS', false, [], 'what answers there does not speak TLS', 'hint: try ws://127.0.0.1:'],
    [
      'has a certificate for another name',
      true,
      ['--ca', 'test/kit/golden/localhost.cert.pem'],
      'its certificate does not name 127.0.0.1',
      'hint: call it by a name of its certificate',
    ],
    ['has a certificate that nobody has signed', true, [], 'self-signed certificate', 'hint: trust its authority'],
  ])('of a server that %s says so', async (_, speaksTls, flags, sentence, hint) => {
    const vendor = await startVendor(deepgram, { find, ...(speaksTls && { tls: localhostTls }) });
    onTestFinished(() => vendor.close());
    const url = `wss://127.0.0.1:${vendor.port}/v1/listen`;
    const ran = await speechfb('probe', url, clip, '--protocol', 'deepgram', '--text', text, ...flags);
    expect(ran).toMatchObject({ status: 2, stdout: '' });
    expect(ran.stderr).toContain(`nothing to probe at ${url}: ${sentence}`);
    expect(ran.stderr).toContain(hint);
    expect(vendor.requests).toEqual([]);
  });

  it('of a server that waits for us, as we for it, says so', async () => {
    const url = await start(invented(ofVosk));
    const flags = ['--protocol', 'openai-realtime', '--text', text, '--ready-timeout', '300ms'];
    const ran = await speechfb('probe', url, clip, ...flags);
    expect(ran).toMatchObject({ status: 2, stdout: '' });
    expect(ran.stderr).toContain('it said nothing within 300ms, and openai-realtime waits for its first word');
    expect(ran.stderr).toContain('--learn FILE');
  });

  it('says when nobody is there, and writes no mapping', async () => {
    const file = join(temporaryDirectory(), 'x.yaml');
    const { status, stderr } = await speechfb('probe', 'ws://127.0.0.1:9', clip, '--learn', file, '--text', text);
    expect(stderr).toMatch(/nothing to probe at ws:\/\/127\.0\.0\.1:9\/?: .*ECONNREFUSED/);
    expect(status).toBe(2);
    expect(existsSync(file)).toBe(false);
  });
});
