import { connect as connectTls } from 'node:tls';

/** What a server of TLS says of itself. */
export async function metricsByTls(url: string): Promise<string> {
  const { hostname, port } = new URL(url);
  const socket = connectTls({ port: Number(port), host: hostname, rejectUnauthorized: false });
  socket.end(`GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
  let body = '';
  for await (const piece of socket) body += piece;
  return body;
}
