export type DeployFlags = {
  capacity: string;
  slo: string;
  canary?: string;
  curve?: string;
  values?: string;
  out?: string;
  format: 'manifests' | 'helm';
  explain?: true;
  json?: true;
};
