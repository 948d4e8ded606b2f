import type { EngineFault } from '../../acoustic/engine/types.ts';
import type { MetricsDocument } from '../../telemetry/metrics.ts';
import type { PlainError } from '../../threads/plain-error.ts';
import type { Caller, Spending } from '../admission/accounts.ts';
import type { HttpRefusal } from '../admission/http-refusal.ts';
import type { DrainReport } from '../gateway/drain.ts';
import type {
  AskedFor,
  BegunElsewhere,
  Door,
  GatewayState,
  SharedClaims,
  SharedStart,
  Used,
  WhenFree,
} from '../gateway/outside/supervision.ts';
import type { GatewayView, SessionView } from '../gateway/outside/view.ts';
import type { Limits } from '../limits.ts';
import type { Refusal } from '../refusal.ts';
import type { GatesState } from './gates.ts';

/** What a gateway's model is, once it is warm. */
export type Warm = { name: string; version: string; provider: string; whyNotNative: string | undefined };

/** What a gateway asks of its supervisor, by name: the question and its answer. */
export type GatewayQuestions = {
  connection: { ask: { caller: Caller; claims: SharedClaims }; answer: HttpRefusal | Granted };
  session: { ask: { caller: Caller; start: SharedStart }; answer: Refusal | Granted | BegunElsewhere };
  exposition: { ask: object; answer: { body: string; contentType: string } };
  readiness: { ask: object; answer: { notReady: string | undefined } };
};

/** What a supervisor asks of a gateway. */
export type SupervisorQuestions = {
  metrics: { ask: object; answer: { document: MetricsDocument } };
  view: { ask: object; answer: { view: GatewayView | undefined } };
  sessions: { ask: object; answer: { sessions: readonly SessionView[] } };
  give_up: { ask: AskedFor; answer: { free: WhenFree | undefined } };
};

/** The number of a place, by which it is given back. */
export type Granted = { place: number };

export type ToSupervisor =
  | { type: 'listening'; door: Door }
  | { type: 'warm'; model: Warm }
  | { type: 'failed'; error: PlainError }
  /** With how long a turn of its event loop is, on average since it told before, ms. */
  | { type: 'state'; state: GatewayState; gates: GatesState; turnMs: number }
  /** What it was sent with a handle. */
  | { type: 'took' }
  | { type: 'free'; place: number }
  | { type: 'fault'; fault: EngineFault }
  | { type: 'spent'; spent: readonly Spending[] }
  | { type: 'used'; used: readonly Used[] }
  | { type: 'drained'; report: DrainReport }
  | QuestionOf<GatewayQuestions>
  | Answer;

export type ToGateway =
  | { type: 'begin'; config: unknown }
  /** With the handle of a connection. */
  | { type: 'socket' }
  /** With the handle of a descriptor of the port. */
  | { type: 'gate' }
  /** How many connections it may take by itself. */
  | { type: 'admit'; most: number }
  | { type: 'others'; doors: ReadonlyMap<number, Door>; detached: boolean }
  | { type: 'fault'; fault: EngineFault }
  | { type: 'spent'; spent: readonly Spending[] }
  | { type: 'drain' }
  | { type: 'cordon'; isCordoned: boolean }
  | { type: 'reload' }
  /** Limits of the whole server that are different. */
  | { type: 'limits'; changed: Partial<Limits> }
  /** What the tenants' file holds from here on. */
  | { type: 'tenants'; text: string }
  | QuestionOf<SupervisorQuestions>
  | Answer;

export type Questions = Readonly<Record<string, { ask: object; answer: object }>>;

export type QuestionOf<Q extends Questions> = {
  [Name in keyof Q & string]: { type: 'question'; id: number; name: Name; ask: Q[Name]['ask'] };
}[keyof Q & string];

export type Answer = { type: 'answer'; id: number; answer: object };
