/** The flags of `speechfb examples`, as commander gives them. */
export type ExamplesFlags = { copy?: string; force?: true; json?: true };
