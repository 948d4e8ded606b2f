import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto';

/** A hash of a secret that takes long to try guesses against, with what it was made from. */
export type ScryptHash = {
  /** Base-2 logarithm of the cost N; with r = 8 one hash takes 1 kiB times N of memory. */
  logCost: number;
  blockSize: number;
  parallel: number;
  salt: Buffer;
  digest: Buffer;
};

/** What hashes of the file may cost: one must never hold a thread for a second. */
const hashBounds = { logCost: [12, 17], blockSize: [1, 16], parallel: [1, 4] } as const;

/**
 * Reads `$scrypt$ln=14,r=8,p=1$SALT$DIGEST`, salt and digest in unpadded base64: the PHC string
 * format. A text that is none gives undefined.
 */
export function parseHash(text: string): ScryptHash | undefined {
  const found = /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,2}),p=(\d{1,2})\$([\w+/]{22,86})\$([\w+/]{43,86})$/.exec(text);
  if (!found) return undefined;
  const [, logCost, blockSize, parallel, salt, digest] = found;
  const numbers = { logCost: Number(logCost), blockSize: Number(blockSize), parallel: Number(parallel) };
  for (const [name, [least, most]] of Object.entries(hashBounds)) {
    const value = numbers[name as keyof typeof numbers];
    if (value < least || value > most) return undefined;
  }
  return { ...numbers, salt: Buffer.from(salt!, 'base64'), digest: Buffer.from(digest!, 'base64') };
}

/** A hash of the secret as `parseHash` reads it, by a salt of its own. */
export async function hashSecret(secret: string, logCost = defaultLogCost): Promise<string> {
  const { blockSize, parallel } = shape;
  const salt = randomBytes(16);
  const digest = await derive(secret, { logCost, ...shape, salt, digest: Buffer.alloc(32) });
  return `$scrypt$ln=${logCost},r=${blockSize},p=${parallel}$${bare(salt)}$${bare(digest)}`;
}

/** Whether it is the hash of this secret. Takes some 50 ms of a thread of the pool, never ours. */
export async function isHashOf(hash: ScryptHash, secret: string): Promise<boolean> {
  return timingSafeEqual(await derive(secret, hash), hash.digest);
}

function derive(secret: string, { logCost, blockSize, parallel, salt, digest }: ScryptHash): Promise<Buffer> {
  const cost = 2 ** logCost;
  const options = { N: cost, r: blockSize, p: parallel, maxmem: 256 * cost * blockSize };
  return new Promise((resolve, reject) => {
    scrypt(secret, salt, digest.length, options, (error, key) => (error ? reject(error) : resolve(key)));
  });
}

function bare(bytes: Buffer): string {
  return bytes.toString('base64').replace(/=+$/, '');
}

const defaultLogCost = 14;
const shape = { blockSize: 8, parallel: 1 };
