import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import protobuf from 'protobufjs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ProblemList } from '../../src/budget/traces/lines.ts';
import { OtlpReader } from '../../src/budget/traces/otlp.ts';
import type { TraceRecord } from '../../src/budget/traces/table.ts';
import { main } from '../../src/cli.ts';
import { OtlpMessages } from '../../src/commands/budget/otlp-messages.ts';
import { temporaryDirectory } from '../kit/temporary-directory.ts';

const directory = temporaryDirectory();
const budget = 'budgets/gateway-feedback.yaml';
let [out, err] = ['', ''];

beforeEach(() => {
  [out, err] = ['', ''];
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    out += text;
    return true;
  });
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    err += text;
    return true;
  });
});
afterEach(() => vi.restoreAllMocks());

describe("what a Collector's file exporter writes with format: proto", () => {
  it.each([
    ['as it is', (bytes: Buffer) => bytes],
    ['packed', (bytes: Buffer) => gzipSync(bytes)],
  ])('gives the same answer as JSON, %s', async (_, packed) => {
    const traces = Array.from({ length: 300 }, (_, i) => spansOf(i));
    const lines = [traces.slice(0, 100), traces.slice(100)].map((some) => JSON.stringify(documentOf(some.flat())));
    const json = write('traces.jsonl', Buffer.from(`${lines.join('\n')}\n`));
    const binary = write('traces.bin', packed(framed(traces.slice(0, 100), [], traces.slice(100))));
    await main(['budget', budget, '--otlp', json, '--json']);
    const told = withoutLines(out);
    out = '';
    await main(['budget', budget, '--otlp', binary, '--json']);
    expect(withoutLines(out)).toEqual(told);
    expect(JSON.parse(out).measured.n).toBe(300);
  });

  it.each([1, 3, 4, 5, 997])('is read in pieces of %i bytes', (size) => {
    const bytes = framed([spansOf(0)], [], [spansOf(1), spansOf(2)]);
    const { records, problems } = read((messages) => {
      for (let at = 0; at < bytes.length; at += size) messages.push(bytes.subarray(at, at + size));
    });
    expect(records.map(({ stages }) => stages.asr)).toEqual([100, 101, 102]);
    expect(problems).toEqual([]);
  });

  it('tells of each message that is none, where it begins, and reads the others', () => {
    const none = Buffer.from([0, 0, 0, 3, 0xff, 0xff, 0xff]);
    const backwards = spansOf(1).map((span) => ({ ...span, endTimeUnixNano: nanos(-5) }));
    const first = framed([spansOf(0)]);
    const { records, problems } = read((messages) =>
      messages.push(Buffer.concat([first, none, framed([backwards]), first])),
    );
    expect(records).toHaveLength(1);
    expect(problems[0]).toEqual({ where: `f:byte ${first.length + 1}`, message: 'is no message of OTLP traces' });
    expect(problems[1]!.where).toBe(`f:byte ${first.length + none.length + 1}`);
    expect(problems[1]!.message).toMatch(/spans\[0\] "feedback" ends .* ms before it starts/);
  });

  it.each<[string, Buffer, RegExp]>([
    [
      'ends within a message',
      framed([spansOf(0)]).subarray(0, 40),
      /cut.bin:byte 1: the file ends within a message: [\d,]+ of its bytes are missing/,
    ],
    ['ends within a length', Buffer.from([0, 0]), /cut.bin:byte 1: the file ends within a message: 2 of its bytes/],
    [
      'is compressed',
      Buffer.from([0, 0, 0, 5, 0x28, 0xb5, 0x2f, 0xfd, 0]),
      /compressed \(zstd\).*hint: .*without compression/s,
    ],
    [
      'is no such file',
      Buffer.concat([Buffer.from([0, 0, 0, 2]), Buffer.from('{}'), Buffer.alloc(9, 0xfe)]),
      /a message has 4,278,124,290 bytes.*hint/s,
    ],
  ])('a file that %s is refused in one sentence', async (_, bytes, message) => {
    expect(await main(['budget', budget, '--otlp', write('cut.bin', bytes)])).toBe(2);
    expect(err).toMatch(message);
    expect(err).not.toMatch(/index out of range|at .*\.ts/);
  });
});

function read(give: (messages: OtlpMessages) => void) {
  const problems = new ProblemList();
  const reader = new OtlpReader(['asr'], problems);
  const messages = new OtlpMessages('f', reader, problems);
  give(messages);
  messages.end();
  const records: TraceRecord[] = [];
  reader.finish((record) => records.push(record));
  return { records, problems: problems.all() };
}

const nanos = (ms: number) => String(1_700_000_000_000_000_000n + BigInt(Math.round(ms * 1e6)));

/** A feedback that waits 10 ms and is heard for 100 ms and more. */
function spansOf(i: number) {
  const traceId = (i + 1).toString(16).padStart(32, '0');
  const id = (j: number) => (8 * i + j + 1).toString(16).padStart(16, '0');
  const span = (j: number, name: string, fromMs: number, toMs: number) => ({
    traceId,
    spanId: id(j),
    ...(j > 0 && { parentSpanId: id(0) }),
    name,
    startTimeUnixNano: nanos(fromMs),
    endTimeUnixNano: nanos(toMs),
  });
  return [
    span(0, 'feedback', 0, 130 + i),
    span(1, 'queue', 0, 10),
    span(2, 'features', 10, 20),
    span(3, 'asr', 20, 120 + i),
    span(4, 'scoring', 120 + i, 130 + i),
  ];
}

const documentOf = (spans: object[]) => ({ resourceSpans: [{ scopeSpans: [{ spans }] }] });

/** Messages with their length before each, as bytes. */
function framed(...messages: ReturnType<typeof spansOf>[][]): Buffer {
  return Buffer.concat(
    messages.flatMap((traces) => {
      const asBytes = (id: string | undefined) => (id === undefined ? undefined : Buffer.from(id, 'hex'));
      const spans = traces.flat().map((span) => ({
        ...span,
        traceId: asBytes(span.traceId),
        spanId: asBytes(span.spanId),
        parentSpanId: asBytes(span.parentSpanId),
      }));
      const message =
        spans.length === 0 ? Buffer.alloc(0) : tracesData.encode(tracesData.fromObject(documentOf(spans))).finish();
      const length = Buffer.alloc(4);
      length.writeUInt32BE(message.length);
      return [length, message];
    }),
  );
}

const tracesData = protobuf
  .parse(
    `syntax = "proto3";
    message TracesData { repeated ResourceSpans resourceSpans = 1; }
    message ResourceSpans { repeated ScopeSpans scopeSpans = 2; }
    message ScopeSpans { repeated Span spans = 2; }
    message Span {
      bytes traceId = 1; bytes spanId = 2; bytes parentSpanId = 4; string name = 5;
      fixed64 startTimeUnixNano = 7; fixed64 endTimeUnixNano = 8;
    }`,
    { keepCase: true },
  )
  .root.lookupType('TracesData');

function write(name: string, bytes: Buffer): string {
  const file = join(directory, name);
  writeFileSync(file, bytes);
  return file;
}

/** Without the lines of exemplars, which count lines or messages. */
function withoutLines(json: string): unknown {
  return JSON.parse(json, (key, value) => (key === 'line' ? undefined : value));
}
