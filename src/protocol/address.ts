/** Where `speechfb serve` listens unless told otherwise, and where clients look for it. */
export const defaultPort = 8090;
export const streamPath = '/v1/stream';
/** What a WebSocket client must offer. */
export const subprotocol = 'speechfb.v1';
