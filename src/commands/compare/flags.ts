export type CompareFlags = { margin: string; json?: true };
