import { type Context, ROOT_CONTEXT, type Span, SpanKind, type Tracer, trace } from '@opentelemetry/api';
import type { StageTimings } from '../../protocol/stages.ts';
import { remoteContext } from './remote-context.ts';
import type { KeepingPolicy } from './session-traces.ts';
import type { RemoteSpan } from './traceparent.ts';
import type { BegunNodeTrace, NodeTrace } from './tracing.ts';
import { stageSpans, UtteranceRecord } from './utterance-trace.ts';
import { failSpan, writeSpan } from './write-span.ts';

export type TracedNodeUtteranceOptions = {
  tracer: Tracer;
  policy: Pick<KeepingPolicy, 'slowMs' | 'random'>;
  begun: BegunNodeTrace;
  /** The utterance's span at its gateway. */
  parent: RemoteSpan;
};

/**
 * What a node did for one utterance, below its span at the gateway and on the node's own clock: the
 * difference of the two is the trunk. Kept is what the gateway is sure to keep, and what was slow
 * here or failed: what a gateway keeps for a reason of its own is not known in time. Names differ
 * from those of the gateway's stages, which have the same time in them.
 */
export class TracedNodeUtterance implements NodeTrace {
  readonly #tracer: Tracer;
  readonly #wallMs = Date.now() - performance.now();
  readonly #record: UtteranceRecord;
  readonly #span: Span;
  #isOver = false;

  constructor({ tracer, policy, begun, parent }: TracedNodeUtteranceOptions) {
    const { startMs, attributes } = begun;
    this.#tracer = tracer;
    this.#record = new UtteranceRecord(startMs, { ...policy, isShared: parent.isSampled });
    const own = { ...attributes, 'speechfb.span': 'node' };
    const options = { kind: SpanKind.SERVER, startTime: this.#wallMs + startMs, attributes: own };
    // A span that is never ended is never sent.
    this.#span = tracer.startSpan('node utterance', options, remoteContext(parent));
  }

  feedback(atMs: number, timing: StageTimings): void {
    const { queue = 0, features = 0, asr = 0, scoring = 0 } = timing;
    const arrivedMs = atMs - queue - features - asr - scoring;
    this.#record.add({
      type: 'phoneme_feedback',
      arrivedMs,
      writtenMs: atMs,
      timing: { queue, features, asr, scoring },
    });
  }

  ended(atMs: number): void {
    this.#record.ended('finish', atMs);
  }

  end(atMs: number, outcome: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const record = this.#record;
    const failure = outcome === 'final' || outcome === 'closed' ? undefined : outcome;
    const keptFor = record.keptFor(atMs, failure);
    if (keptFor === undefined) return;
    const context = trace.setSpan(ROOT_CONTEXT, this.#span);
    this.#writeBelow(context, atMs, outcome);
    this.#span.setAttributes({
      'speechfb.node.kept': keptFor,
      'speechfb.outcome': failure === undefined ? outcome : 'failed',
      'speechfb.feedback.count': record.count,
    });
    if (failure !== undefined) failSpan(this.#span, failure);
    this.#span.end(this.#wallMs + atMs);
  }

  #writeBelow(context: Context, atMs: number, outcome: string): void {
    const to = { tracer: this.#tracer, wallMs: this.#wallMs };
    for (const feedback of this.#record.feedback()) {
      const { arrivedMs: startMs, writtenMs: endMs } = feedback;
      const below = writeSpan(to, 'node feedback', { startMs, endMs, attributes: {} }, context);
      for (const { name, ...times } of stageSpans(feedback)) {
        writeSpan(to, `node ${name}`, { ...times, attributes: { 'speechfb.node.stage': name } }, below);
      }
    }
    const { endedMs } = this.#record;
    if (endedMs === undefined || outcome !== 'final') return;
    writeSpan(to, 'node final', { startMs: endedMs, endMs: atMs, attributes: {} }, context);
  }
}
