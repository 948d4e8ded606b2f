import { SpeechfbError } from '../errors.ts';

/**
 * What is asked of a library that speaks QUIC: an optional package, since few want QUIC and it
 * takes 122 MB.
 */
export type QuicLibrary = Pick<typeof import('@currentspace/http3'), 'connectQuic' | 'createQuicServer'>;

/** The protocol that both ends name in the TLS handshake (ALPN, RFC 7301). */
export const quicProtocol = 'speechfb/1';

/**
 * poll instead of io_uring, at both ends: containers forbid io_uring, it costs no less CPU time a
 * frame, and at 40 connections of one process it stood still in two runs of four.
 */
export const quicRuntime = { runtimeMode: 'portable', fallbackPolicy: 'error' } as const;

/**
 * Loads the package.
 * @param load how; tests load something else
 * @throws SpeechfbError `quic_unavailable` with the command that installs it
 */
export async function loadQuic(
  load: () => Promise<QuicLibrary> = () => import('@currentspace/http3'),
): Promise<QuicLibrary> {
  try {
    return await load();
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    const why =
      code === 'ERR_MODULE_NOT_FOUND' || code === 'MODULE_NOT_FOUND'
        ? 'is not installed'
        : `does not load: ${String(message).split('\n')[0]}`;
    throw new SpeechfbError('quic_unavailable', `QUIC needs the package @currentspace/http3, which ${why}`, {
      hint: 'npm install @currentspace/http3@0.9.0',
      cause,
    });
  }
}
