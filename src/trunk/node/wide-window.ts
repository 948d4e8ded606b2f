import type { Http2Session } from 'node:http2';
import { windowBytes } from '../wire/service.ts';

/**
 * Lets a gateway send some messages ahead. The library has a setting for it at callers only, and
 * shows no session of a server: it is taken from where the library keeps it, and where it is no
 * more, the window stays as it is.
 */
export function widenWindow(call: object): void {
  const { session } = (call as Kept).call?.stream ?? {};
  if (!session || session.destroyed) return;
  session.settings({ initialWindowSize: windowBytes });
  session.setLocalWindowSize(windowBytes);
}

type Kept = { call?: { stream?: { session?: Http2Session } } };
