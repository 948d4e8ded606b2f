import type { RouteRequest } from '../../routing/decide/decide.ts';

/** What is known of a session that starts. */
export type RoutedSession = Pick<RouteRequest, 'language' | 'device' | 'lane'> & {
  id: string;
  tenant: string | undefined;
  user: string | undefined;
};

/**
 * The tenant and the user in the name that a session belongs to: `tenant:NAME/USER`, or a token's.
 */
export function payerOf(owner: string | undefined): Pick<RoutedSession, 'tenant' | 'user'> {
  const [, tenant, user] = /^tenant:([^/]*)(?:\/(.*))?$/s.exec(owner ?? '') ?? [];
  return { tenant: tenant ?? owner, user };
}
