/** The flags of `speechfb loadtest`, as commander gives them. */
export type LoadtestFlags = {
  url?: string;
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
