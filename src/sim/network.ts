import type { DrawKey } from '../stats/draws.ts';
import { addressChangesOf } from './address-changes.ts';
import { type AddressChanges, SimulatedConnection } from './connection.ts';
import { Path } from './path/path.ts';
import type { GapMode, NetworkProfile } from './profile/profile.ts';

export type { SimulatedConnection } from './connection.ts';

/**
 * One device's network: both paths with their loss states, queues and gaps, which outlive
 * connections. The same profile and key behave the same to the microsecond.
 */
export class DeviceNetwork {
  private readonly profile: NetworkProfile;
  private readonly key: DrawKey;
  private readonly paths: { up: Path; down: Path };
  private readonly addressChange: AddressChanges;
  private nameKnown = false;

  constructor(profile: NetworkProfile, key: DrawKey) {
    this.profile = profile;
    this.key = key;
    this.paths = { up: new Path(profile, 'up', key), down: new Path(profile, 'down', key) };
    this.addressChange = addressChangesOf(profile.events, key);
  }

  /**
   * Begins to open a connection: the name (the first time only), SYN, TLS, upgrade, all over the
   * lossy path. At most one is alive; an older one is forgotten. A bare one has neither TLS nor the
   * upgrade, for bytes that bring them along: the round trips of TLS, and the bytes of its records.
   */
  connect(nowUs: number, { bare = false } = {}): SimulatedConnection {
    const { key, paths, addressChange, nameKnown } = this;
    const profile: NetworkProfile =
      bare && this.profile.transport === 'tcp-tls' ? { ...this.profile, transport: 'tcp' } : this.profile;
    while (addressChange.nextUs < nowUs) addressChange.step();
    this.nameKnown = true;
    return new SimulatedConnection({ profile, key, paths, addressChange, nameKnown, bare }, nowUs);
  }

  /** Cuts both directions from nowUs on (a fault that is injected). */
  cut(nowUs: number, forUs: number, mode: GapMode): void {
    this.paths.up.cut(nowUs, forUs, mode);
    this.paths.down.cut(nowUs, forUs, mode);
  }

  /** Both directions lose a share of their packets more from nowUs on (a fault, injected). */
  lose(share: number, nowUs: number, forUs: number): void {
    this.paths.up.lose(share, nowUs, forUs);
    this.paths.down.lose(share, nowUs, forUs);
  }
}
