import { once } from 'node:events';
import { createServer } from 'node:net';

/**
 * A port of the loopback that nobody listened on a moment ago, another one at each call, for who
 * cannot choose one by itself. It is below those that systems give to connections that go out
 * (Linux 32768, macOS 49152 and up): none of them takes it before it is listened on, or while who
 * listens is replaced.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = first + Math.floor(Math.random() * count);
    if (given.has(port) || !(await canListen(port))) continue;
    given.add(port);
    return port;
  }
}

async function canListen(port: number): Promise<boolean> {
  const server = createServer();
  try {
    await once(server.listen(port, '127.0.0.1'), 'listening');
  } catch {
    return false;
  }
  server.close();
  await once(server, 'close');
  return true;
}

const given = new Set<number>();
const first = 20_000;
const count = 12_000;
