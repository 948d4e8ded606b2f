export type Deferred<Value> = {
  promise: Promise<Value>;
  resolve(value: Value | Promise<Value>): void;
  reject(error: Error): void;
};

/** A promise that somebody else settles. */
export function defer<Value>(): Deferred<Value> {
  let settle: Pick<Deferred<Value>, 'resolve' | 'reject'> | undefined;
  const promise = new Promise<Value>((resolve, reject) => {
    settle = { resolve, reject };
  });
  return { promise, ...settle! };
}
