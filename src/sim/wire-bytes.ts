import type { TransportName } from './profile/profile.ts';

/**
 * What a TLS 1.3 record adds (RFC 8446): its header, the content type, and the tag of AES-GCM or
 * ChaCha20-Poly1305.
 */
export const tlsRecordBytes = 5 + 16 + 1;

/** What carries a datagram: headers of Ethernet, IPv4 and UDP. */
export const udpHeaderBytes = 14 + 20 + 8;

/**
 * Bytes of a WebSocket message on the wire (RFC 6455, one frame): header, the mask that clients
 * add, and a TLS 1.3 record.
 */
export function wireBytes(payload: number, masked: boolean, transport: TransportName): number {
  const length = payload < 126 ? 2 : payload < 65_536 ? 4 : 10;
  return payload + length + (masked ? 4 : 0) + (transport === 'tcp-tls' ? tlsRecordBytes : 0);
}
