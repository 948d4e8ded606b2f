import type { AcousticEngine } from '../../acoustic/engine/types.ts';
import type { Handoff } from '../../handoff/handoff.ts';
import type { ResultStore } from '../../stores/result-store.ts';
import type { Log } from '../../telemetry/log.ts';
import type { Metrics } from '../../telemetry/metrics.ts';
import type { Tracing } from '../../telemetry/tracing/tracing.ts';
import type { SessionKeeper } from '../durable/kept-session.ts';
import type { LocalModel, Scoring } from '../hearing/local-model.ts';
import type { Router } from '../hearing/router.ts';
import type { Limits } from '../limits.ts';
import type { OverloadControl } from '../overload/overload-control.ts';
import type { Refusal } from '../refusal.ts';

/** What every session of a server shares. */
export type ServerContext = {
  engine: AcousticEngine;
  scoring: Scoring;
  limits: Limits;
  metrics: Metrics;
  log: Log;
  /** What learners feel, and what they are spared for it. */
  overload: OverloadControl;
  /** Decides what writes transcripts; absent: the own model writes them all. */
  router?: Router | undefined;
  /** Lets be scored later what cannot be finished live; absent: it is lost. */
  handoff?: Handoff | undefined;
  /** What became of it; absent: nothing is handed over. */
  results?: ResultStore | undefined;
  /** Keeps sessions for other gateways; absent: they end with this one. */
  keeper?: SessionKeeper | undefined;
  /** The region of the server; absent: none. */
  region?: string | undefined;
  /** Follows sessions; absent: nobody wants traces. */
  tracing?: Tracing | undefined;
  /** What the ids of its sessions begin with, where a server has several gateways. */
  idPrefix?: string;
  /** Monotonic, ms. */
  now(): number;
  /** The same, but standing still while the server does: for what a client has to do in time. */
  awake(): number;
};

/**
 * What the texts of one client may cost, kept by the gateway. Work is counted in phones: those of
 * all pronunciations of all words of a text.
 */
export type WorkAccount = {
  /** Charges the reading of a text, before or as soon as its phones are known; or says why not. */
  charge(phones: number): Refusal | undefined;
  /** Takes room for a text as long as it is open: the function gives it back. Or says why not. */
  hold(phones: number): Refusal | (() => void);
};

/** What a session shares with others; `model`: what hears it, undefined: the server's own. */
export function contextOf(context: ServerContext, model: LocalModel | undefined): ServerContext {
  return model ? { ...context, engine: model.engine, scoring: model.scoring } : context;
}
