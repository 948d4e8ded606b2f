import { once } from 'node:events';
import { describe, expect, it, onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import type { WireErrorCode } from '../../src/protocol/codes.ts';
import { wireErrors } from '../../src/protocol/codes.ts';
import { encodeFrame } from '../../src/protocol/frame.ts';
import { resolveReference } from '../../src/scoring/text/reference.ts';
import type { Limits } from '../../src/server/limits.ts';
import { connect, finalPhones, refusedUpgrade, startMessage, type TestClient } from '../kit/server/client.ts';
import { scriptedScoring } from '../kit/server/scripted.ts';
import { serve } from '../kit/server/serve.ts';

/** What a bad client does, once it is connected (and, in the second table, has started). */
type Misdeed = (client: TestClient) => void | Promise<void>;
type Row = [what: string, code: WireErrorCode, sentence: RegExp, misdeed: Misdeed, limits?: Partial<Limits>];

const beforeStart: Row[] = [
  ['says no JSON', 'invalid_message', /not JSON/, (c) => c.raw('{"type":')],
  ['says an array', 'invalid_message', /the message is no JSON object: \[\]/, (c) => c.raw('[]')],
  ['says an unknown type', 'invalid_message', /not one of start, config, /, (c) => c.raw('{"type":"begin"}')],
  ['adds an unknown key', 'invalid_message', /"langauge"/, start({ langauge: 'en-US' })],
  ['speaks another language', 'invalid_message', /"fr-FR" is not en-US/, start({ language: 'fr-FR' })],
  ['names another protocol', 'invalid_message', /speechfb\.v1/, start({ protocol: 'speechfb.v2' })],
  ['wants results each millisecond', 'invalid_message', /emit_interval_ms: .*20/, start({ emit_interval_ms: 1 })],
  ['names a region that is none', 'invalid_message', /region: .*63 characters/, start({ region: 'EU {1}' })],
  ['asks for a region where there is none', 'wrong_region', /this server has no region/, start({ region: 'eu' })],
  ['sends stereo', 'unsupported_audio', /audio\.channels/, start({ audio: { ...pcm(), channels: 2 } })],
  ['sends MP3', 'unsupported_audio', /pcm_s16le/, start({ audio: { ...pcm(), encoding: 'mp3' } })],
  ['sends 4 kHz', 'unsupported_audio', /8000/, start({ audio: { ...pcm(), sample_rate: 4000 } })],
  ['gives a text without words', 'invalid_reference', /no word/, start({ reference: { text: '?!' } })],
  ['gives an empty text', 'invalid_reference', /reference\.text/, start({ reference: { text: '' } })],
  ['gives a text too long', 'invalid_reference', /4000/, start({ reference: { text: 'a '.repeat(3000) } })],
  [
    'begins with too much text',
    'rate_limited',
    /start_phone_burst 10/,
    start({ reference: { text: 'ab '.repeat(9) } }),
    { startPhonesPerSecond: 1, startPhoneBurst: 10 },
  ],
  ['finalizes first', 'protocol_order', /"finalize" came before/, (c) => c.send({ type: 'finalize' })],
  ['sends sound first', 'protocol_order', /audio came before/, (c) => c.frame(0)],
  ['resumes what never was', 'session_not_found', /no such session/, resumeUnknown],
  ['says nothing', 'idle_timeout', /no start or resume/, () => {}, { startTimeoutMs: 60 }],
  ['says a megabyte', 'too_large', /at most 262144/, (c) => c.raw(' '.repeat(600_000))],
  ['says too much', 'rate_limited', /too many messages/, chatter, { messageBurst: 5 }],
  ['pings without end', 'rate_limited', /too many pings a second/, (c) => c.pings(40), { pingBurst: 30 }],
];

/** What each sends is large, and so would the answer be that quotes all of it. */
const quoted: [string, () => object][] = [
  ['unknown keys', () => Object.fromEntries(Array.from({ length: 9000 }, (_, i) => [`key${i}`, i]))],
  [
    'unknown keys in a reference',
    () => ({ reference: { text: 'a', ...Object.fromEntries(Array.from({ length: 9000 }, (_, i) => [`k${i}`, i])) } }),
  ],
  ['a long key', () => ({ ['k'.repeat(200_000)]: 1 })],
  ['unknown phones', () => ({ reference: { words: words('QQ', 40) } })],
  ['too many phones', () => ({ reference: { words: words('AA1', 41) } })],
  ['phones that are too long', () => ({ reference: { words: words('AAAAAA', 20) } })],
  ['words of the wrong kind', () => ({ reference: { words: Array.from({ length: 500 }, () => 'x'.repeat(400)) } })],
  ['an unknown type', () => ({ type: 'x'.repeat(200_000) })],
  ['a long language', () => ({ language: 'x'.repeat(200_000) })],
  ['a long encoding', () => ({ audio: { ...pcm(), encoding: 'x'.repeat(200_000) } })],
  ['a long tag', () => ({ reference: { text: `<${'x'.repeat(3000)}>` } })],
  [
    'characters of many scripts',
    () => ({ reference: { text: Array.from({ length: 3000 }, (_, i) => String.fromCodePoint(0x4e00 + i)).join('') } }),
  ],
  ['a word without an end', () => ({ reference: { text: 'x'.repeat(4000) } })],
];

const afterStart: Row[] = [
  ['starts again', 'protocol_order', /"start" came in a session/, (c) => c.send(startMessage())],
  ['resumes in a session', 'protocol_order', /"resume" came in a session/, resumeUnknown],
  ['breaks off a message', 'invalid_message', /not JSON/, (c) => c.raw('{')],
  ['sends half a header', 'invalid_frame', /24-byte header/, (c) => c.raw(Buffer.alloc(10))],
  ['sends a wrong magic byte', 'invalid_frame', /magic byte 0x00/, patched(0, 0)],
  ['sends a later version', 'invalid_frame', /version 9/, patched(1, 9)],
  ['sends an unknown codec', 'unsupported_audio', /codec 7/, patched(2, 7)],
  ['sends the other codec', 'unsupported_audio', /started with pcm_s16le/, (c) => c.frame(0, { codec: 'pcm_f32le' })],
  ['sets unknown flags', 'invalid_frame', /flags 0x80/, patched(3, 0x80)],
  ['sends a wrong checksum', 'invalid_frame', /crc32/, patched(12, 1)],
  ['sends half a sample', 'invalid_frame', /not whole pcm_s16le/, (c) => c.frame(0, { payload: new Uint8Array(3) })],
  ['sends a huge frame', 'too_large', /max_frame_bytes/, (c) => c.frame(0, { payload: new Uint8Array(70_000) })],
  ['jumps far ahead', 'invalid_frame', /seq 100000 is too far/, (c) => c.frame(100_000)],
  ['goes back in time', 'invalid_frame', /first_sample 5 .* 320/, backInTime],
  ['speaks faster than time', 'too_fast', /max_buffered_ms is 1000/, (c) => c.frames(0, 99), { maxBufferedMs: 1000 }],
  ['skips an hour', 'too_fast', /ahead of real time/, (c) => c.frame(0, { firstSample: 57_600_000 })],
  ['floods with crumbs', 'rate_limited', /more audio frames/, (c) => c.frames(0, 99), { frameBurst: 50 }],
  [
    'holds sound back behind a frame',
    'too_fast',
    /max_held_bytes is 5000/,
    (c) => c.frames(1, 99),
    { maxHeldBytes: 5000 },
  ],
  ['ends utterance after utterance', 'too_fast', /max_finishing is 2/, nextTexts(9), { maxFinishing: 2 }],
  ['falls silent', 'idle_timeout', /nothing was heard/, () => {}, { idleTimeoutMs: 120 }],
  ['stays too long', 'session_too_long', /may last 150 ms/, () => {}, { maxSessionMs: 150 }],
  [
    'asks for text after text',
    'rate_limited',
    /phones_per_second is 1, phone_burst 20/,
    nextTexts(9),
    { phonesPerSecond: 1, phoneBurst: 20 },
  ],
  ['asks for a next text without words', 'invalid_reference', /no word/, nextWithoutWords],
];

describe('beside a healthy session, a client that, before it starts,', () => {
  it.each(beforeStart)('%s is told %s', (_, code, sentence, misdeed, limits) =>
    misbehave({ code, sentence, misdeed, limits, started: false }),
  );
});

describe('beside a healthy session, a client that, once it has started,', () => {
  it.each(afterStart)('%s is told %s', (_, code, sentence, misdeed, limits) =>
    misbehave({ code, sentence, misdeed, limits, started: true }),
  );
});

describe('an error that could quote what it got', () => {
  it.each(quoted)('is a sentence for %s', async (_, changes) => {
    const server = await serve({ scoring: { ...scriptedScoring, readReference: resolveReference } });
    const client = await connect(server.url);
    client.raw(JSON.stringify({ ...startMessage(), ...changes() }));
    await client.closed;
    const said = client.events.at(-1)!;
    expect(said.type).toBe('error');
    expect(Buffer.byteLength(JSON.stringify(said))).toBeLessThan(2000);
  });
});

describe('a server with limits', () => {
  it('refuses a session too many, and says when to come again', async () => {
    const server = await serve({ limits: { maxSessions: 1 } });
    await expectRefusal(server.url, 'server_busy', /all 1 sessions are taken/);
  });

  it('refuses upgrades while it is full, and hears those out who may come back to a session', async () => {
    const server = await serve({ limits: { maxSessions: 1 } });
    const first = await connect(server.url);
    first.send(startMessage());
    const { session_id, resume_token } = await first.until('ready');
    const { status, headers, body } = await refusedUpgrade(server.url);
    expect([status, body]).toEqual([503, expect.stringContaining('all 1 sessions are taken (max_sessions)')]);
    expect(Number(headers['retry-after'])).toBeGreaterThanOrEqual(3);
    expect(Number(headers['retry-after'])).toBeLessThanOrEqual(8);
    first.cut();
    await expect.poll(() => server.stats().detached).toBe(1);
    const second = await connect(server.url);
    second.send({ type: 'resume', session_id, resume_token, last_event_id: 0 });
    expect(await second.until('ready')).toMatchObject({ resumed: true });
  });

  it('refuses starts that come too fast', async () => {
    const server = await serve({ limits: { startBurst: 1, startsPerSecond: 0.1 } });
    await expectRefusal(server.url, 'rate_limited', /sessions a second/);
  });

  it('is busy when the model has no room for one more', async () => {
    const { scriptedEngine } = await import('../kit/server/scripted.ts');
    const server = await serve({ engine: scriptedEngine({ stepP95Ms: 140, busy: 0.95 }) });
    const client = await connect(server.url);
    client.send(startMessage());
    expect((await client.closed).code).toBe(4503);
    expect(client.of('error')).toMatchObject([{ code: 'server_busy', retryable: true }]);
    // Five seconds, half as many to half as many more.
    expect(Math.abs(client.of('error')[0]!.retry_after_ms! - 5000)).toBeLessThanOrEqual(2500);
  });

  it('cuts a half-open socket and keeps its session for a resume', async () => {
    const server = await serve({ limits: { heartbeatMs: 40 } });
    const client = await connect(server.url, { autoPong: false });
    client.send(startMessage());
    await client.until('ready');
    expect((await client.closed).code).toBe(1006);
    await expect.poll(() => server.stats()).toMatchObject({ sockets: 0, sessions: 1, detached: 1 });
  });

  it('answers a hundred pings that come in one piece', async () => {
    const server = await serve();
    const client = await connect(server.url);
    client.pings(100);
    await expect.poll(() => client.pongs()).toBe(100);
    client.send(startMessage());
    await client.until('ready');
  });

  it('lets ws refuse what no limit can mean', async () => {
    const server = await serve();
    const client = await connect(server.url);
    client.raw(Buffer.alloc(2_000_000));
    expect((await client.closed).code).toBe(1009);
  });

  it.each([
    ['another path', '/v1/other', ['speechfb.v1'], 404],
    ['no subprotocol', '/v1/stream', [], 400],
    ['another subprotocol', '/v1/stream', ['speechfb.v9'], 400],
  ])('opens no WebSocket for %s', async (_, path, protocols, status) => {
    const server = await serve();
    const socket = new WebSocket(`ws://127.0.0.1:${server.port}${path}`, protocols);
    const [error] = await once(socket, 'error');
    expect(String(error)).toContain(String(status));
  });
});

async function misbehave(row: {
  code: WireErrorCode;
  sentence: RegExp;
  misdeed: Misdeed;
  limits: Partial<Limits> | undefined;
  started: boolean;
}): Promise<void> {
  const server = await serve({ limits: row.limits ?? {} });
  // A session that may last so long has nobody healthy beside it.
  const healthy = row.limits?.maxSessionMs === undefined ? await connect(server.url) : undefined;
  healthy?.send(startMessage());
  healthy?.frames(0, 19);
  const beats = row.limits?.idleTimeoutMs === undefined ? undefined : setInterval(() => keepAlive(healthy), 20);
  onTestFinished(() => clearInterval(beats));
  const bad = await connect(server.url);
  if (row.started) {
    bad.send(startMessage());
    await bad.until('ready');
  }
  await row.misdeed(bad);
  expect((await bad.closed).code).toBe(wireErrors[row.code].close);
  expect(bad.events.at(-1)).toMatchObject({
    type: 'error',
    code: row.code,
    message: expect.stringMatching(row.sentence),
  });
  if (!healthy) return;
  healthy.frames(20, 39);
  healthy.send({ type: 'close', last_seq: 39 });
  expect(await healthy.closed).toEqual({ code: 1000, reason: 'done' });
  expect(finalPhones(healthy.events)).toEqual(['1.0 A 90', '1.1 B 90', '1.2 B 90', '1.3 A 90']);
  await expect.poll(() => server.stats()).toMatchObject({ sessions: 0, sockets: 0 });
}

async function expectRefusal(url: string, code: WireErrorCode, sentence: RegExp): Promise<void> {
  const healthy = await connect(url);
  const second = await connect(url);
  healthy.send(startMessage());
  await healthy.until('ready');
  second.send(startMessage());
  expect((await second.closed).code).toBe(wireErrors[code].close);
  const [error] = second.of('error');
  expect(error).toMatchObject({ code, retryable: true, message: expect.stringMatching(sentence) });
  expect(error!.retry_after_ms).toBeGreaterThan(0);
  healthy.frames(0, 39);
  healthy.send({ type: 'close' });
  expect((await healthy.closed).code).toBe(1000);
}

function keepAlive(client: TestClient | undefined): void {
  client?.send({ type: 'keep_alive' });
}

function words(phone: string, count: number): object[] {
  return Array.from({ length: 500 }, () => ({
    text: 'w'.repeat(100),
    phones: Array.from({ length: count }, () => phone),
  }));
}

function pcm() {
  return { encoding: 'pcm_s16le', sample_rate: 16_000, channels: 1 };
}

function start(changes: object): Misdeed {
  return (client) => client.raw(JSON.stringify({ ...startMessage(), ...changes }));
}

function nextTexts(count: number): Misdeed {
  return (client) => {
    for (let i = 0; i < count; i++) client.send({ type: 'next_utterance', reference: { text: 'ab ba' } });
  };
}

/** A good frame with one byte of its header changed. */
function patched(offset: number, byte: number): Misdeed {
  return (client) => {
    const payload = new Uint8Array(640);
    const bytes = encodeFrame({ codec: 'pcm_s16le', flags: 0, epoch: 0, seq: 0, firstSample: 0, payload });
    bytes[offset] = byte;
    client.raw(bytes);
  };
}

function backInTime(client: TestClient): void {
  client.frame(0);
  client.frame(1, { firstSample: 5 });
}

function resumeUnknown(client: TestClient): void {
  client.send({ type: 'resume', session_id: 'nobody', resume_token: 'none', last_event_id: 0 });
}

function chatter(client: TestClient): void {
  client.send(startMessage());
  for (let i = 0; i < 6; i++) client.send({ type: 'keep_alive' });
}

function nextWithoutWords(client: TestClient): void {
  client.frames(0, 4);
  client.send({ type: 'next_utterance', reference: { text: '123 ?' } });
}
