export type MergeFlags = { out?: string; json?: true; pushPrometheus?: string; otlp?: string };
