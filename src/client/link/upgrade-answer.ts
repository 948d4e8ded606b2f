import type { LinkRefusal } from './link.ts';

/**
 * What has become of an upgrade: nothing yet, it is refused, or the connection is open and these
 * bytes of it came with the answer.
 */
export type UpgradeState = 'coming' | { problem: string } | { rest: Buffer };

/**
 * A server's answer to an upgrade (RFC 6455, section 4.2.2; RFC 9112 for its form), in bytes cut
 * anywhere. Interim answers (1xx) are passed over; of a refusal the beginning of its body is read,
 * as there the server says why. All of it together is at most 16 KiB, and each byte is looked at
 * once.
 */
export class UpgradeAnswer {
  readonly #expected: string;
  readonly #offered: readonly string[];
  readonly #mustChoose: boolean;
  readonly #bytes = Buffer.allocUnsafe(mostBytes);
  #length = 0;
  /** Where the head of the answer begins that is read now, and how far its end was sought. */
  #begin = 0;
  #sought = 0;
  /** Present once the head of a refusal has come. */
  #refusal: { code: string; bodyAt: number; headers: Headers } | undefined;

  /**
   * @param expected what Sec-WebSocket-Accept has to be
   * @param offered the subprotocols that were asked for; `mustChoose`: the server has to take one
   */
  constructor(expected: string, offered: readonly string[], mustChoose: boolean) {
    this.#expected = expected;
    this.#offered = offered;
    this.#mustChoose = mustChoose;
  }

  /** The server refuses, and goes on to say why. */
  get refused(): boolean {
    return this.#refusal !== undefined;
  }

  /** What its status says of another attempt; undefined while there is no refusal. */
  get refusal(): LinkRefusal | undefined {
    if (!this.#refusal) return undefined;
    const { code, headers } = this.#refusal;
    const seconds = retryAfterOf(headers);
    const retryAfterMs = seconds === undefined ? undefined : Number(seconds) * 1000;
    return { retryable: retryable.has(code), retryAfterMs, status: Number(code) };
  }

  /** The first `length` bytes of `chunk` came. */
  take(chunk: Buffer, length: number): UpgradeState {
    const copied = chunk.copy(this.#bytes, this.#length, 0, length);
    this.#length += copied;
    while (!this.#refusal) {
      const end = this.#bytes.subarray(0, this.#length).indexOf('\r\n\r\n', this.#sought);
      if (end < 0) {
        this.#sought = Math.max(this.#begin, this.#length - 3);
        return this.#length < mostBytes ? 'coming' : { problem: 'the answer to the upgrade has no end' };
      }
      const head = this.#bytes.toString('latin1', this.#begin, end);
      this.#begin = end + 4;
      this.#sought = end + 4;
      const problem = this.#head(head);
      if (problem !== undefined) return { problem };
      if (isUpgrade(head)) {
        const rest = this.#bytes.subarray(this.#begin, this.#length);
        return { rest: Buffer.concat([rest, chunk.subarray(copied, length)]) };
      }
    }
    return this.#bodyIsWhole() ? { problem: this.end() } : 'coming';
  }

  /** Nothing more comes: what is wrong with what came. */
  end(): string {
    if (!this.#refusal) return this.#length === 0 ? 'no answer to the upgrade' : 'the answer to the upgrade has no end';
    const { code, bodyAt, headers } = this.#refusal;
    const body = this.#bytes.toString('utf8', bodyAt, Math.min(this.#length, bodyAt + mostBodyBytes));
    return refusalOf(code, headers, wordsOf(headers.get('transfer-encoding') === 'chunked' ? unchunked(body) : body));
  }

  /** What is wrong with a head; undefined for a good or an interim one, and for a refusal. */
  #head(head: string): string | undefined {
    const [status = '', ...lines] = head.split('\r\n');
    const code = /^HTTP\/1\.[01] (\d{3})/.exec(status)?.[1];
    if (code === undefined) return 'what answers speaks no HTTP';
    const headers = headersOf(lines);
    if (code === '101') return this.#upgradeProblem(headers);
    if (code.startsWith('1')) return undefined;
    this.#refusal = { code, bodyAt: this.#begin, headers };
    return undefined;
  }

  #upgradeProblem(headers: Headers): string | undefined {
    if (headers.get('upgrade')?.toLowerCase() !== 'websocket') return 'the answer upgrades to something else';
    if (headers.get('sec-websocket-accept') !== this.#expected) return 'the answer has a wrong Sec-WebSocket-Accept';
    if (headers.has('sec-websocket-extensions')) return 'the answer has an extension that was not asked for';
    const chosen = headers.get('sec-websocket-protocol');
    if (chosen === undefined ? !this.#mustChoose : this.#offered.includes(chosen)) return undefined;
    const asked = this.#offered.length === 0 ? 'and none was asked for' : `not ${this.#offered.join(' or ')}`;
    return `the answer speaks ${chosen === undefined ? 'no subprotocol' : cut(chosen)}, ${asked}`;
  }

  #bodyIsWhole(): boolean {
    const { bodyAt, headers } = this.#refusal!;
    const bytes = this.#length - bodyAt;
    if (bytes >= mostBodyBytes || this.#length === mostBytes) return true;
    if (headers.get('transfer-encoding') === 'chunked')
      return this.#bytes.subarray(bodyAt, this.#length).includes('\r\n0\r\n\r\n');
    return bytes >= Number(headers.get('content-length') ?? Number.POSITIVE_INFINITY);
  }
}

type Headers = ReadonlyMap<string, string>;

/** As Node's own parser allows a head to be. */
const mostBytes = 16_384;
const mostBodyBytes = 2000;
const mostWords = 200;

/** The sentence of every refusal begins so. */
export const refusal = 'the server refuses the connection';

/** What a status other than 101 means to somebody who wanted a stream, with the server's words. */
function refusalOf(code: string, headers: Headers, said: string): string {
  const to = code.startsWith('3') ? headers.get('location') : undefined;
  const meaning = to === undefined ? meanings[code] : `it leads to ${cut(to)}, which is not followed`;
  const retryAfter = retryAfterOf(headers);
  const when = retryAfter === undefined ? '' : `; it asks to come again in ${retryAfter} s`;
  const words = said === '' ? '' : ` ${said}`;
  return `${refusal}: ${meaning ?? 'it opens no stream'} (HTTP ${code}${words})${when}`;
}

const meanings: Readonly<Record<string, string>> = {
  400: 'the upgrade is not to its liking',
  401: 'it wants a token that it knows',
  403: 'it takes no callers from here',
  404: 'it has no stream at this address',
  421: 'it does not go by the name that it was called by',
  426: 'what answers wants something else than a WebSocket',
  429: 'too much comes from here',
  503: 'it is full, or goes away',
};

/** Too many requests, and what a server or a proxy before it answers while it cannot. */
const retryable: ReadonlySet<string> = new Set(['408', '429', '500', '502', '503', '504']);

/** Seconds. */
function retryAfterOf(headers: Headers): string | undefined {
  return /^\d{1,6}$/.exec(headers.get('retry-after') ?? '')?.[0];
}

function isUpgrade(head: string): boolean {
  return /^HTTP\/1\.[01] 101\b/.test(head);
}

function headersOf(lines: readonly string[]): Headers {
  return new Map(
    lines.map((line) => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim()];
    }),
  );
}

/** The data of a chunked body (RFC 9112, section 7.1), as far as it has come. */
function unchunked(body: string): string {
  let data = '';
  let at = 0;
  for (;;) {
    const end = body.indexOf('\r\n', at);
    const size = end < 0 ? Number.NaN : Number.parseInt(body.slice(at, end), 16);
    if (!(size > 0)) return data;
    data += body.slice(end + 2, end + 2 + size);
    at = end + 2 + size + 2;
  }
}

/** The sentence of an error as servers and vendors write it in JSON; else the text itself. */
function wordsOf(body: string): string {
  try {
    const value: unknown = JSON.parse(body);
    const fields = fieldsOf(value);
    const error = { ...fields, ...fieldsOf(fields.error) };
    const text = (names: readonly string[]) => names.map((name) => error[name]).find((one) => typeof one === 'string');
    const message = text(['message', 'err_msg', 'detail', 'error']);
    const code = text(['code', 'err_code']);
    if (message !== undefined) return cut(code === undefined ? `${message}` : `${code}: ${message}`);
  } catch {
    // Most bodies are no JSON.
  }
  return cut(body);
}

function fieldsOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

/** One line of at most 200 characters. */
function cut(text: string): string {
  const line = text.trim().replace(/\s+/g, ' ');
  return line.length > mostWords ? `${line.slice(0, mostWords)}...` : line;
}
