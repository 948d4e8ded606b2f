import type { Backend } from '../../backends/backend.ts';
import type { Hindrance } from '../../routing/decide/decide.ts';
import type { PolicySpec } from '../../routing/policy/spec.ts';
import type { LocalModel } from './local-model.ts';

/** A backend with guards round it, as a router sees it. */
export type ManagedBackend = Backend & {
  /** Why it lets no session through now; undefined: it does. */
  hindrance(): { why: Hindrance; message: string; retryAfterMs?: number | undefined } | undefined;
  status(): BackendFigures;
};

/** What metrics and operators are shown of the guards. */
export type BackendFigures = {
  breaker: { state: 'closed' | 'half-open' | 'open'; why?: { class: string; message: string } | undefined };
  /** Dollars in the last 60 minutes, and how many there may be. */
  spent: number;
  most: number | undefined;
};

/** A policy that is in force, with the backends that it names, but for the own model. */
export type PolicyInForce = {
  name: string;
  spec: PolicySpec;
  backends: ReadonlyMap<string, ManagedBackend>;
  /** The models of local backends that name one, by backend; others are the server's own. */
  models?: ReadonlyMap<string, LocalModel> | undefined;
  /** What hears some sessions unseen, with guards of its own. */
  shadow?: ManagedBackend | undefined;
};
