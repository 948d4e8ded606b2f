import { didYouMean } from '../../suggest.ts';
import { chainFrom } from './chain.ts';
import type { PolicySpec } from './spec.ts';

/** What is no fault of a policy and may be a slip all the same; `path` is within `spec`. */
export type PolicyNote = { path: readonly PropertyKey[]; message: string };

/**
 * Backends that no session comes to, several of one model of ours, and tenants of rules that are
 * none of `tenants`, where it is known which there are.
 */
export function notesOf(spec: PolicySpec, tenants?: readonly string[]): PolicyNote[] {
  return [...backendsOfNobody(spec), ...modelsAgain(spec), ...(tenants ? unknownTenants(spec, tenants) : [])];
}

/** A share of 0% leads to a backend too: it is kept ready on purpose. */
function backendsOfNobody({ backends, rules, canary, shadow }: PolicySpec): PolicyNote[] {
  const named = [...rules.flatMap(({ to }) => Object.keys(to)), canary?.to, shadow?.to];
  const come = new Set(named.flatMap((name) => (name === undefined ? [] : chainFrom(name, backends))));
  return [...backends.entries()]
    .filter(([, backend]) => !come.has(backend))
    .map(([index, { name }]) => ({
      path: ['backends', index, 'name'],
      message: `nobody comes to "${name}": no rule, fallback, canary or shadow leads there`,
    }));
}

function modelsAgain({ backends }: PolicySpec): PolicyNote[] {
  const ours = [...backends.entries()].filter(([, { kind }]) => kind === 'local');
  return ours.flatMap(([index, { name, model }], at) => {
    const first = ours.slice(0, at).find(([, other]) => other.model === model);
    if (!first) return [];
    const message =
      `"${name}" is the same model as "${first[1].name}", ${model ?? 'that of the server'}: ` +
      'only their bounds and fallbacks differ';
    return [{ path: ['backends', index, 'kind'], message }];
  });
}

function unknownTenants({ rules }: PolicySpec, tenants: readonly string[]): PolicyNote[] {
  return rules.flatMap(({ name, when }, index) =>
    [...(when?.tenant ?? []).entries()]
      .filter(([, tenant]) => !tenants.includes(tenant))
      .map(([at, tenant]) => ({
        path: ['rules', index, 'when', 'tenant', at],
        message: `rule "${name}" is for "${tenant}", which is no tenant of this server${didYouMean(tenant, tenants)}`,
      })),
  );
}
