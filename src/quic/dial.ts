import { isIP } from 'node:net';
import { rootCertificates } from 'node:tls';
import { loadQuic, quicProtocol, quicRuntime } from './library.ts';
import { QuicSocket } from './quic-socket.ts';

/** Where a QUIC connection leads, and whom it trusts there. */
export type QuicTarget = {
  host: string;
  /** UDP. */
  port: number;
  /** PEM of an authority that is trusted beside the system's. */
  ca?: string | undefined;
  /** Trusts any certificate. */
  insecure?: boolean | undefined;
  /** How long the handshake may take. */
  handshakeMs: number;
};

/**
 * A socket over a QUIC connection that begins to open now: what is written waits for it. It ends
 * with an error when nobody answers in time, or whom nobody vouches for.
 */
export function dialQuic(target: QuicTarget): QuicSocket {
  const socket = new QuicSocket({ lingerMs });
  void open(target, socket).catch((error: Error) => socket.destroy(error));
  return socket;
}

async function open({ host, port, ca, insecure, handshakeMs }: QuicTarget, socket: QuicSocket): Promise<void> {
  const { connectQuic } = await loadQuic();
  if (socket.destroyed) return;
  const session = connectQuic(
    { host, port, servername: nameOf(host) },
    {
      ...quicRuntime,
      alpn: [quicProtocol],
      enableDatagrams: true,
      connectTimeoutMs: handshakeMs,
      ca: ca === undefined ? systemAuthorities() : `${systemAuthorities()}\n${ca}`,
      ...(insecure && { rejectUnauthorized: false }),
    },
  );
  let endedWith: number | undefined;
  session.on('error', () => {});
  session.on('close', ({ errorCode }) => {
    endedWith = errorCode;
  });
  const giveUp = (): void => void session.close();
  socket.once('close', giveUp);
  try {
    await session.ready();
  } catch (cause) {
    await session.close();
    throw new Error(dialTrouble(endedWith, String((cause as Error).message), host, port), { cause });
  }
  socket.off('close', giveUp);
  if (socket.destroyed) await session.close();
  else socket.begin(session, session.openStream());
}

/** The library compares names, and no addresses, with those of a certificate. */
function nameOf(host: string): string {
  return host === '::1' || /^127\./.test(host) ? 'localhost' : host;
}

let authorities: string | undefined;

function systemAuthorities(): string {
  authorities ??= rootCertificates.join('\n');
  return authorities;
}

/**
 * TLS's alerts are QUIC's errors 0x100 and up (RFC 9001, section 4.8). What the library says is for
 * its own debugging.
 *
 * @param code what the connection was closed with, if it was
 */
function dialTrouble(code: number | undefined, words: string, host: string, port: number): string {
  const alert = (code ?? 0) - 0x100;
  if (alert === alerts.noApplicationProtocol)
    return `what answers by QUIC at port ${port} does not speak ${quicProtocol}`;
  if (alert === alerts.unknownCa) return "the server's certificate is signed by nobody who is trusted";
  if (alert === alerts.badCertificate && isIP(host) !== 0)
    return `the server's certificate cannot be checked for ${host}: QUIC checks names alone`;
  if (alert === alerts.badCertificate) return `the server's certificate does not name ${host}, or is not good`;
  if (alert > 0 && alert < 0x100) return `TLS failed with alert ${alert}`;
  if (/timed out/.test(words)) return `ETIMEDOUT: nobody answers by QUIC at UDP port ${port}`;
  if (/failed to resolve/.test(words)) return `ENOTFOUND: nobody knows the name ${host}`;
  if (/TlsFail/.test(words)) return 'the authority that is to be trusted is no PEM with -----BEGIN CERTIFICATE-----';
  const ended = code === undefined || code === 0 ? '' : `: the other end gave error ${code}`;
  return `no QUIC connection came about with UDP port ${port}${ended}`;
}

const alerts = { badCertificate: 42, unknownCa: 48, noApplicationProtocol: 120 };
/** The last words of the end that dialed are short. */
const lingerMs = 250;
