import { loadQuic } from '../../src/quic/library.ts';

/** Why QUIC cannot be spoken here; undefined: it can. */
export const quicLack = await loadQuic().then(
  () => undefined,
  (error: Error) => error.message,
);
if (quicLack) console.warn(`SKIPPED: nothing was tried by QUIC: ${quicLack}`);
