import { Counter, type Registry } from 'prom-client';

/** The slots of a node, or of all nodes of a gateway. */
export type SlotNumbers = {
  slots: number;
  free: number;
  trunks: number;
  refused: number;
  /** Leases at nodes that are asked when all others refuse. */
  spilled?: number;
  /** Connections to a node that were refused or cut, by why. */
  connectionsRefused?: Readonly<Record<string, number>>;
  rehoused?: Readonly<Record<string, number>>;
};

/** What bounds the sessions of a gateway. */
export type SlotSource = {
  /** Sessions for which there are slots, those that have one among them. */
  places(): number;
  stats(): SlotNumbers;
};

type ExposeGauge = (name: string, help: string, read: () => number | undefined) => void;

/** Shows what is free at the nodes, and what became of the sessions there. */
export function exposeSlots(read: () => SlotNumbers | undefined, gauge: ExposeGauge, registers: Registry[]): void {
  gauge('slots', 'Sessions that the nodes of all models take at once, or this node.', () => read()?.slots);
  gauge('slots_free', 'Slots that are not leased, as last heard.', () => read()?.free);
  gauge('trunks', 'Nodes that this gateway has a trunk to, or gateways that this node has.', () => read()?.trunks);
  new Counter({
    name: 'speechfb_sessions_rehoused_total',
    help: 'Sessions that went on at another node: "lost" after theirs was lost, "moved" on purpose.',
    labelNames: ['why'],
    registers,
    collect() {
      const numbers = read();
      if (!numbers?.rehoused) return;
      this.reset();
      for (const [why, count] of Object.entries(numbers.rehoused)) this.inc({ why }, count);
    },
  });
  new Counter({
    name: 'speechfb_node_connections_refused_total',
    help: 'Connections to this node that were refused or cut, by why.',
    labelNames: ['why'],
    registers,
    collect() {
      this.reset();
      for (const [why, count] of Object.entries(read()?.connectionsRefused ?? {})) this.inc({ why }, count);
    },
  });
  new Counter({
    name: 'speechfb_leases_refused_total',
    help: 'Slots that were asked for and not granted.',
    registers,
    collect() {
      this.reset();
      this.inc(read()?.refused ?? 0);
    },
  });
  new Counter({
    name: 'speechfb_leases_spilled_total',
    help: 'Slots at nodes of --spill-node, since all of --node had refused.',
    registers,
    collect() {
      this.reset();
      this.inc(read()?.spilled ?? 0);
    },
  });
}
