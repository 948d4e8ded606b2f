export type CompareFlags = { margin: string; strict?: true; json?: true };
