import type { TracedCall } from '../../telemetry/tracing/tracing.ts';
import { trunkMethod } from '../wire/service.ts';

/**
 * The asking for a slot as a span by the semantic conventions for gRPC.
 *
 * @param outcome the lease, or why there is none
 */
export function leaseCall(address: string, startMs: number, outcome: number | string): TracedCall {
  const [, service = '', method = ''] = trunkMethod.split('/');
  const [, host = address, port] = /^(.*):(\d+)$/.exec(address) ?? [];
  return {
    name: `${service}/${method}`,
    startMs,
    endMs: performance.now(),
    attributes: {
      'rpc.system': 'grpc',
      'rpc.service': service,
      'rpc.method': method,
      'server.address': host,
      ...(port !== undefined && { 'server.port': Number(port) }),
      'speechfb.trunk.call': 'acquire',
    },
    failure: typeof outcome === 'string' ? outcome : undefined,
  };
}
