import type { Membership } from '../admission/membership.ts';
import { userIn } from '../public-names.ts';

/** Users whose sound is counted, found by the digest under which operators see them. */
export class KnownUsers {
  /** What each is counted under, those that were heard last at the end. */
  readonly #keys = new Map<string, string>();
  readonly #digests = new Map<string, string>();

  heard({ tenant, user }: Membership): void {
    if (user === undefined) return;
    const key = `${tenant}/${user}`;
    const digest = this.#digests.get(key) ?? userIn(`tenant:${key}`)!;
    this.#digests.set(key, digest);
    this.#keys.delete(digest);
    this.#keys.set(digest, key);
    if (this.#keys.size <= mostRemembered) return;
    const [oldest] = this.#keys;
    if (!oldest) return;
    this.#keys.delete(oldest[0]);
    this.#digests.delete(oldest[1]);
  }

  /** What the user is counted under; undefined: nothing of it is counted here. */
  keyOf(digest: string): string | undefined {
    return this.#keys.get(digest);
  }
}

const mostRemembered = 10_000;
