import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { gunzipSync } from 'node:zlib';
import { decodeOtlpTraces } from '../../src/budget/traces/otlp-proto.ts';

/** A span as OTLP's JSON has it, its attributes by name. */
type ReceivedSpan = {
  traceId: string;
  spanId: string;
  parentSpanId: string | undefined;
  name: string;
  kind: number;
  startMs: number;
  endMs: number;
  attributes: Record<string, unknown>;
  links: { traceId: string; spanId: string }[];
  hasFailed: boolean;
};

export type OtlpReceiver = {
  url: string;
  /** The documents as the Collector's file exporter writes them. */
  documents: object[];
  /** The bytes as they came. */
  bodies: Buffer[];
  headers: IncomingMessage['headers'][];
  spans(): ReceivedSpan[];
  close(): void;
  /** Attributes of the resource of everything that came. */
  resource(): Record<string, unknown>;
};

/** An OTLP receiver that takes protobuf over HTTP, and answers as `answer` does where that is given. */
export async function receiveOtlp(answer?: (response: ServerResponse) => void): Promise<OtlpReceiver> {
  const receiver: OtlpReceiver = {
    url: '',
    documents: [],
    bodies: [],
    headers: [],
    close() {
      server.close();
      server.closeAllConnections();
    },
    spans: () => receiver.documents.flatMap(spansIn),
    resource: () => Object.assign({}, ...receiver.documents.flatMap((document) => resourcesIn(document))),
  };
  const server = createServer(async (request, response) => {
    const sent = await buffer(request);
    const body = request.headers['content-encoding'] === 'gzip' ? gunzipSync(sent) : sent;
    receiver.headers.push(request.headers);
    if (answer) {
      answer(response);
      return;
    }
    if (request.url !== '/v1/traces' || request.headers['content-type'] !== 'application/x-protobuf') {
      response.writeHead(404).end();
      return;
    }
    receiver.bodies.push(body);
    receiver.documents.push(decodeOtlpTraces(body));
    response.writeHead(200, { 'content-type': 'application/x-protobuf' }).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  receiver.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return receiver;
}

type Attribute = { key: string; value?: Record<string, unknown> };
type Written = {
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  name: string;
  kind: number;
  startTimeUnixNano: string;
  endTimeUnixNano: string;
  attributes?: Attribute[];
  links?: { traceId: string; spanId: string }[];
  status?: { code?: number };
};
type Document = {
  resourceSpans?: { resource?: { attributes?: Attribute[] }; scopeSpans?: { spans?: Written[] }[] }[];
};

function spansIn(document: Document): ReceivedSpan[] {
  const written = (document.resourceSpans ?? []).flatMap(({ scopeSpans = [] }) =>
    scopeSpans.flatMap(({ spans = [] }) => spans),
  );
  return written.map((span) => ({
    traceId: span.traceId,
    spanId: span.spanId,
    parentSpanId: span.parentSpanId,
    name: span.name,
    kind: span.kind,
    startMs: Number(BigInt(span.startTimeUnixNano) / 1000n) / 1000,
    endMs: Number(BigInt(span.endTimeUnixNano) / 1000n) / 1000,
    attributes: byName(span.attributes),
    links: span.links ?? [],
    hasFailed: span.status?.code === 2,
  }));
}

function resourcesIn(document: Document): Record<string, unknown>[] {
  return (document.resourceSpans ?? []).map(({ resource }) => byName(resource?.attributes));
}

function byName(attributes: readonly Attribute[] = []): Record<string, unknown> {
  return Object.fromEntries(attributes.map(({ key, value = {} }) => [key, Object.values(value)[0]]));
}
