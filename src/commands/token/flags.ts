/** The flags of `speechfb token new`, as commander gives them. */
export type TokenNewFlags = { tenant: string; user?: string; expires?: string; json?: true };
