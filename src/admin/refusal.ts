/** Why a call of the admin plane is refused. */
export type AdminRefusal = {
  status: 400 | 401 | 403 | 404 | 405 | 409 | 413 | 421 | 429 | 500 | 503;
  code: string;
  message: string;
  headers?: Record<string, string>;
};

/** A refusal that is thrown from where it is found. */
export class RefusedCall extends Error {
  readonly refusal: AdminRefusal;

  constructor(refusal: AdminRefusal) {
    super(refusal.message);
    this.refusal = refusal;
  }
}
