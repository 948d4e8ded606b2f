import { Counter, Gauge, type Registry } from 'prom-client';

/** What an engine says of itself. */
export type EngineNumbers = {
  /** What runs the model now. */
  provider: string;
  /** What ran it before it was lost. */
  lostDevice?: string | undefined;
  queueDepth: number;
  stepP95Ms: number;
  busy: number;
  meanBatch: number;
  restarts: number;
};

/** Shows what runs the model, and what ran it before it was lost. */
export function exposeDevice(read: () => EngineNumbers | undefined, registers: Registry[]): void {
  new Gauge({
    name: 'speechfb_engine_device',
    help: '1 for what runs the model now, 0 for a device that was lost.',
    labelNames: ['device'],
    aggregator: 'min',
    registers,
    collect() {
      const engine = read();
      if (!engine) return;
      if (engine.lostDevice !== undefined) this.set({ device: engine.lostDevice }, 0);
      this.set({ device: engine.provider }, 1);
    },
  });
  new Counter({
    name: 'speechfb_engine_fallbacks_total',
    help: 'How often the CPU took over from a device that was lost.',
    registers,
    collect() {
      this.reset();
      this.inc(read()?.lostDevice === undefined ? 0 : 1);
    },
  });
}
