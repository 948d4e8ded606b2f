import { readFileSync } from 'node:fs';
import { Agent, request } from 'undici';
import type { z } from 'zod';
import { readToken } from '../../client/token.ts';
import { unreadable } from '../../config/read-chunks.ts';
import { SpeechfbError } from '../../errors.ts';
import { flag } from '../../flag.ts';
import { SecretUrl } from '../../secret-url.ts';

export type ClientFlags = { url: string; tokenFile: string; ca?: string };

/** Calls the admin plane of a running server. */
export class AdminClient {
  readonly #url: SecretUrl;
  readonly #token: string;
  readonly #agent: Agent;

  /** @throws SpeechfbError `bad_url`, `bad_token_file`, `unreadable_file`, `unset_variable` */
  constructor({ url, tokenFile, ca }: ClientFlags) {
    this.#url = flag('--url', (text) => SecretUrl.parse(text, 'http'))(url);
    this.#token = readToken(tokenFile);
    this.#agent = new Agent({ maxResponseSize: mostBytes, ...(ca !== undefined && { connect: { ca: readPem(ca) } }) });
  }

  /**
   * What the server answers, as far as `shape` knows it.
   * @throws SpeechfbError `admin_unreachable`, `admin_refused` with the words of the server
   */
  async call<Shape extends z.ZodType>(
    method: 'GET' | 'POST',
    path: string,
    shape: Shape,
    body?: object,
  ): Promise<z.infer<Shape>> {
    const { status, text } = await this.#exchange(method, path, body);
    const document = parsedJson(text);
    if (status !== 200) throw this.#refused(status, document);
    const parsed = shape.safeParse(document);
    if (parsed.success) return parsed.data;
    const hint = '--url is the address of --admin-listen, not that of the stream';
    throw new SpeechfbError('admin_refused', `${this.#url} does not answer as an admin plane does`, { hint });
  }

  async close(): Promise<void> {
    await this.#agent.destroy();
  }

  async #exchange(method: 'GET' | 'POST', path: string, body: object | undefined) {
    const headers = { authorization: `Bearer ${this.#token}`, 'content-type': 'application/json' };
    const timeouts = { headersTimeout: patienceMs, bodyTimeout: patienceMs };
    try {
      const { href } = this.#url.below(path.split('?')[0]!);
      const query = path.includes('?') ? `?${path.split('?')[1]}` : '';
      const sent = {
        method,
        headers,
        ...timeouts,
        dispatcher: this.#agent,
        ...(body && { body: JSON.stringify(body) }),
      };
      const response = await request(`${href}${query}`, sent);
      return { status: response.statusCode, text: await response.body.text() };
    } catch (cause) {
      const { message, code } = cause as NodeJS.ErrnoException;
      const hint = 'is the server there, with --admin-listen at this address?';
      const why = this.#url.hide(message || code || 'no answer');
      throw new SpeechfbError('admin_unreachable', `${this.#url} cannot be called: ${why}`, { hint, cause });
    }
  }

  #refused(status: number, document: unknown): SpeechfbError {
    const { code, message } = (document as { error?: { code?: unknown; message?: unknown } } | undefined)?.error ?? {};
    const said = typeof message === 'string' ? `${message} (${String(code)})` : 'without a word';
    return new SpeechfbError('admin_refused', `${this.#url} refuses, HTTP ${status}: ${said}`);
  }
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function readPem(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw unreadable(file, 'certificate authority', cause);
  }
}

const patienceMs = 10_000;
/** A thousand entries of an audit log at their longest do not come near. */
const mostBytes = 64_000_000;
