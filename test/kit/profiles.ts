import { type Loss, type NetworkProfile, type PathProfile, rfc9002Windows } from '../../src/sim/profile/profile.ts';

/** Both directions alike: a delay one way and, if given, a loss and whatever else. */
export function symmetric(
  delayMs: number,
  loss: Loss = { model: 'none' },
  path: Partial<PathProfile> = {},
  profile: Partial<NetworkProfile> = {},
): NetworkProfile {
  const direction: PathProfile = {
    delayUs: delayMs * 1000,
    jitter: undefined,
    reorder: false,
    rateBitsPerSecond: undefined,
    queuePackets: 1000,
    loss,
    opportunitiesMs: undefined,
    ...path,
  };
  return {
    name: 'test',
    source: 'test',
    transport: 'tcp',
    tcp: { congestion: 'cubic', rtoMinUs: 200_000 },
    quic: rfc9002Windows,
    up: direction,
    down: direction,
    events: [],
    ...profile,
  };
}

export const iid = (share: number): Loss => ({ model: 'iid', share });
