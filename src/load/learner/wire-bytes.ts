import type { Transport } from '../../sim/profile/profile.ts';

/** Bytes of a WebSocket message on the wire (RFC 6455, one frame): header, the mask that clients add, and a TLS 1.3 record. */
export function wireBytes(payload: number, masked: boolean, transport: Transport): number {
  const length = payload < 126 ? 2 : payload < 65_536 ? 4 : 10;
  return payload + length + (masked ? 4 : 0) + (transport === 'tcp-tls' ? tlsRecordBytes : 0);
}

/** RFC 8446: record header, content type, and the tag of AES-GCM or ChaCha20-Poly1305. */
const tlsRecordBytes = 5 + 1 + 16;
