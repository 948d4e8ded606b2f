import type { Context } from '@opentelemetry/api';
import type { ReadableSpan, Span, SpanExporter, SpanProcessor } from '@opentelemetry/sdk-trace-base';
import type { SpanCounts } from './tracing.ts';

export type SpanQueueOptions = {
  exporter: SpanExporter;
  /** Spans that may wait; those that come then are dropped. */
  most?: number;
  /** The receiver has begun to fail, or takes spans again (undefined). */
  onTrouble(why: string | undefined): void;
};

/**
 * Sends spans in small batches, one after the other, so that neither a receiver that is slow nor
 * the making of a batch keeps anything else waiting. What finds no room is dropped and counted.
 */
export class SpanQueue implements SpanProcessor {
  readonly #options: SpanQueueOptions;
  readonly #waiting: ReadableSpan[] = [];
  readonly #counts = { exported: 0, failed: 0, dropped: 0 };
  readonly #timer: NodeJS.Timeout;
  #sending: Promise<void> | undefined;
  #isTroubled = false;

  constructor(options: SpanQueueOptions) {
    this.#options = options;
    this.#timer = setInterval(() => this.#send(), sentEveryMs);
    this.#timer.unref();
  }

  get counts(): SpanCounts {
    return { ...this.#counts };
  }

  onStart(_span: Span, _parent: Context): void {}

  onEnd(span: ReadableSpan): void {
    if (this.#waiting.length >= (this.#options.most ?? mostWaiting)) this.#counts.dropped += 1;
    else this.#waiting.push(span);
  }

  async forceFlush(): Promise<void> {
    while (this.#waiting.length > 0 || this.#sending) {
      this.#send();
      await this.#sending;
    }
  }

  /** Sends what waits, for two seconds at most: whoever stops does not wait for a receiver. */
  async shutdown(): Promise<void> {
    clearInterval(this.#timer);
    let end: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      end = setTimeout(resolve, lastChanceMs);
    });
    await Promise.race([this.forceFlush(), late]);
    clearTimeout(end);
    this.#counts.dropped += this.#waiting.splice(0).length;
    // It would wait for a receiver that hangs.
    void this.#options.exporter.shutdown().catch(() => {});
  }

  #send(): void {
    if (this.#sending || this.#waiting.length === 0) return;
    this.#sending = this.#sendOne().then(() => {
      this.#sending = undefined;
      if (this.#waiting.length >= batchSize) setImmediate(() => this.#send());
    });
  }

  async #sendOne(): Promise<void> {
    const batch = this.#waiting.splice(0, batchSize);
    const why = await new Promise<string | undefined>((resolve) => {
      this.#options.exporter.export(batch, ({ code, error }) => {
        resolve(code === success ? undefined : (error?.message ?? 'it refused'));
      });
    });
    if (why === undefined) this.#counts.exported += batch.length;
    else this.#counts.failed += batch.length;
    if ((why !== undefined) === this.#isTroubled) return;
    this.#isTroubled = why !== undefined;
    this.#options.onTrouble(why);
  }
}

/** `ExportResultCode.SUCCESS` */
const success = 0;
/** About 30 MB. */
const mostWaiting = 16_384;
/** To write this many takes a millisecond or two. */
const batchSize = 128;
const sentEveryMs = 500;
const lastChanceMs = 2000;
