import type { Membership } from '../admission/membership.ts';
import { sha256 } from '../secrets.ts';
import { type Party, partiesOf } from './quota.ts';

/** One whose caps are counted, as a store knows it: of a user it hears a digest. */
export type SharedParty = Party & { tenant: string; user: string | undefined };

export function sharedPartiesOf(member: Membership): SharedParty[] {
  const { tenant, user } = member;
  const digest = user === undefined ? undefined : sha256(user).toString('base64url').slice(0, digestLength);
  return partiesOf(member).map((party) => {
    return { ...party, tenant, user: party.who === 'this user' ? digest : undefined };
  });
}

/** 132 bits. */
const digestLength = 22;
