import { readFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import { join } from 'node:path';

/** A pod of Kubernetes, and how it reaches the API server. */
export type OwnPod = {
  host: string;
  port: number;
  namespace: string;
  name: string;
  /** The folder of the pod's account: `token` and `ca.crt`. The kubelet renews both. */
  account: string;
};

/**
 * Sets annotations of the pod that this process runs in: one request, on a connection of its own.
 * The answer's body is not read.
 *
 * @throws Error what the API server said, as `HTTP 403`, or why it said nothing
 */
export async function annotateOwnPod(
  { host, port, namespace, name, account }: OwnPod,
  annotations: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<void> {
  const [token, ca] = await Promise.all(['token', 'ca.crt'].map((file) => readFile(join(account, file), 'utf8')));
  const body = JSON.stringify({ metadata: { annotations } });
  const status = await new Promise<number>((resolve, reject) => {
    const asked = request({
      method: 'PATCH',
      host,
      port,
      path: `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods/${encodeURIComponent(name)}`,
      ca,
      agent: false,
      signal,
      headers: {
        authorization: `Bearer ${token!.trim()}`,
        accept: 'application/json',
        'content-type': 'application/merge-patch+json',
        'content-length': Buffer.byteLength(body),
      },
    });
    asked.on('error', reject);
    asked.on('response', (response: IncomingMessage) => {
      // The pod as it is now may be long, and nobody needs it.
      response.destroy();
      resolve(response.statusCode!);
    });
    asked.end(body);
  });
  if (status >= 300) throw new Error(`HTTP ${status}${refusals[status] ?? ''}`);
}

const refusals: Readonly<Record<number, string>> = {
  401: ', it does not know the token',
  403: ", the pod's account may not patch pods",
  404: ', it knows no such pod',
};
