import type { IncomingMessage } from 'node:http';
import { TLSSocket } from 'node:tls';
import type { AdminCaller } from './admin-tokens.ts';

/** Kubernetes' API server, which hands on the calls of those whom it has let through. */
export type FrontProxy = {
  /** PEM, who signs its certificate: `--requestheader-client-ca-file` of the API server. */
  ca: string;
  /** Common names that its certificate may have; none: any. */
  names: readonly string[];
};

/** The front proxy that makes a call, by the certificate that it shows; undefined: it is none. */
export function frontProxyCaller({ socket }: IncomingMessage, { names }: FrontProxy): AdminCaller | undefined {
  if (!(socket instanceof TLSSocket) || !socket.authorized) return undefined;
  const { CN: name } = socket.getPeerCertificate().subject ?? {};
  const known = typeof name === 'string' && (names.length === 0 || names.includes(name));
  return known ? { name: `front-proxy:${name}`, role: 'read' } : undefined;
}
