/** A node as a gateway sees it. */
export type NodeView = {
  address: string;
  isUp: boolean;
  isDraining: boolean;
  slots: number;
  free: number;
  /** Slots that this gateway has. */
  leases: number;
  /** Name and version of the model that it runs; undefined: it is not known. */
  model: string | undefined;
};

/** The nodes of a gateway, as it finds them. */
export type NodeDirectory = {
  nodes(): readonly NodeView[];
  /** The node at which a session is scored now. */
  nodeOf(sessionId: string): string | undefined;
};

/**
 * Each node once, however many models or gateways look for it: as whoever reaches it sees it, with
 * the slots that all of them have.
 */
export function nodesOnce(nodes: readonly NodeView[]): readonly NodeView[] {
  const byAddress = new Map<string, NodeView>();
  for (const node of nodes) {
    const known = byAddress.get(node.address);
    const leases = (known?.leases ?? 0) + node.leases;
    byAddress.set(node.address, known?.isUp && !node.isUp ? { ...known, leases } : { ...node, leases });
  }
  return [...byAddress.values()];
}
