import type { LinkTransport } from '../../client/link/quic-way.ts';

/** The flags of `speechfb loadtest`, as commander gives them. */
export type LoadtestFlags = {
  url?: string;
  transport?: LinkTransport;
  duration?: string;
  out?: string;
  seed?: string;
  json?: true;
  tokenFile?: string;
  yesLoad?: string;
  generators?: number;
  runs?: number;
  findCapacity?: true;
  from?: number;
  most?: number;
  step?: number;
  validate?: true;
  assumeIndependent?: true;
  shard?: string;
  startAt?: string;
  pushPrometheus?: string;
  otlp?: string;
};
