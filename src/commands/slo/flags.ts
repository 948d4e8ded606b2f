export type SloFlags = { name?: string; out?: string; run?: string; prometheus?: string; json?: true };
