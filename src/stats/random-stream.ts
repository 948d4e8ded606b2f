/** The next number of a seeded stream, uniform in [0, 1). */
export type RandomStream = () => number;

/**
 * One sequence for each (seed, stream): sfc32 (Chris Doty-Humphrey, PractRand), so that what one
 * draws moves no other. The plan of a load test is drawn from these, and its hash depends on them.
 */
export function createRandomStream(seed: number, stream = 0): RandomStream {
  let a = seed | 0;
  let b = stream | 0;
  let c = 0x9e3779b9 | 0;
  let counter = 1;
  const next = () => {
    const sum = (a + b + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + sum;
    return (sum >>> 0) / 0x1_0000_0000;
  };
  // The state is as regular as the seeds at first; twelve rounds are the author's own warm-up.
  for (let round = 0; round < 12; round++) next();
  return next;
}
