import type { SpanExporter } from '@opentelemetry/sdk-trace-base';

type Answer = Parameters<SpanExporter['export']>[1];

/**
 * An exporter that has failed when it has not answered by `lateMs`. OTLP's own gives a receiver up
 * that is silent for its timeout, but waits as long as one sends a byte now and then. The answer of
 * one that was given up is passed over; the exporter bounds how many such calls it has at once.
 */
export function withAnswerDeadline(exporter: SpanExporter, lateMs: number): SpanExporter {
  return {
    export(spans, answer: Answer) {
      let isAnswered = false;
      const once: Answer = (result) => {
        if (isAnswered) return;
        isAnswered = true;
        clearTimeout(late);
        answer(result);
      };
      const error = new Error(`no whole answer within ${lateMs} ms`);
      const late = setTimeout(() => once({ code: failed, error }), lateMs);
      late.unref();
      exporter.export(spans, once);
    },
    shutdown: () => exporter.shutdown(),
  };
}

/** `ExportResultCode.FAILED` */
const failed = 1;
