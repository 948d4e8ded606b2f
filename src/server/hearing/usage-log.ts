import { createHash } from 'node:crypto';
import { SpeechfbError } from '../../errors.ts';
import { fileTrouble } from '../../file-trouble.ts';
import type { Log } from '../../telemetry/log.ts';
import { LineLog } from '../line-log.ts';
import type { Meter, Metered } from './meter.ts';
import type { RoutedSession } from './routed-session.ts';

export type UsageLogOptions = {
  path: string;
  log: Log;
  /** Milliseconds since 1970. */
  wallMs(): number;
};

/**
 * Writes down who has used what: a line of JSON for each session that ends here, and one for each
 * minute of a session that goes on, so that a process that is killed loses a minute of it at most.
 * A line holds what no line before it does: their sum is the usage. Nobody's words are in it, and
 * of a user a digest.
 */
export class UsageLog implements Meter {
  readonly #options: UsageLogOptions;
  readonly #sessions = new Map<string, Use>();
  readonly #lines: LineLog;

  /** @throws SpeechfbError `output_unwritable` */
  constructor(options: UsageLogOptions) {
    this.#options = options;
    const { path, log } = options;
    try {
      this.#lines = new LineLog({
        ...{ path, beginning: '{"version":1,', mostLines },
        onTrouble: (why, waiting) => log.error({ why, waiting }, 'the usage log cannot be written; its lines wait'),
        onLost: (lines) => log.error({ lines }, 'usage was lost while its log could not be written'),
      });
    } catch (cause) {
      const message = `the usage log ${path} cannot be written: ${fileTrouble(cause)}`;
      throw new SpeechfbError('output_unwritable', message, { cause });
    }
  }

  heard({ session, backend, audioMs, dollars }: Metered): void {
    const nowMs = this.#options.wallMs();
    const use = this.#sessions.get(session.id) ?? { sinceMs: nowMs, backends: new Map() };
    this.#sessions.set(session.id, use);
    const sum = use.backends.get(backend) ?? { audioMs: 0, dollars: 0 };
    use.backends.set(backend, { audioMs: sum.audioMs + audioMs, dollars: sum.dollars + dollars });
    if (nowMs - use.sinceMs < everyMs) return;
    this.#say(session, use, true);
    this.#sessions.set(session.id, { sinceMs: nowMs, backends: new Map() });
  }

  ended(session: RoutedSession): void {
    const use = this.#sessions.get(session.id);
    this.#sessions.delete(session.id);
    if (use && use.backends.size > 0) this.#say(session, use, false);
  }

  /** Resolves when all that was said is in the file, or cannot be. */
  close(): Promise<void> {
    return this.#lines.close();
  }

  #say(session: RoutedSession, { backends }: Use, isPart: boolean): void {
    const { id, tenant, user, language, lane } = session;
    const line = {
      version: 1,
      time: new Date(this.#options.wallMs()).toISOString(),
      session: digest(id),
      tenant: tenant ?? null,
      user: user === undefined ? null : digest(`${tenant}/${user}`),
      language,
      lane,
      part: isPart,
      backends: [...backends].map(([name, { audioMs, dollars }]) => ({
        name,
        audio_ms: Math.round(audioMs),
        dollars: Number(dollars.toPrecision(9)),
      })),
    };
    this.#lines.add(JSON.stringify(line));
  }
}

type Use = { sinceMs: number; backends: Map<string, { audioMs: number; dollars: number }> };

/** The first 16 hexadecimal digits of SHA-256, as sessions are named to those who run a server. */
function digest(name: string): string {
  return createHash('sha256').update(name).digest('hex').slice(0, 16);
}

const everyMs = 60_000;
/** Lines that wait while the disk is full: some megabytes. */
const mostLines = 20_000;
