export type CanaryFlags = {
  name?: string;
  json?: true;
  mode?: string;
  /** plan without a file */
  target?: string;
  traffic?: string;
  burn?: string;
  for?: string;
  hold?: string;
  detect?: string;
  /** judge */
  baseline?: string;
  canary?: string;
  prometheus?: string;
  since?: string;
  alone?: true;
  /** simulate */
  regression?: string;
  slowdown?: string;
  from?: string;
  seed?: string;
};
