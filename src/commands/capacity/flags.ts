export type CapacityFlags = {
  name?: string;
  compare?: string;
  sweep?: string;
  seed?: string;
  chart?: string;
  json?: true;
};
