/** What a client sends to be given a WebSocket, with further headers of one's own. */
export function handshake(more: readonly string[] = [], path = '/v1/stream'): string {
  return [
    `GET ${path} HTTP/1.1`,
    'Host: localhost',
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    'Sec-WebSocket-Protocol: speechfb.v1',
    ...more,
    '',
    '',
  ].join('\r\n');
}
