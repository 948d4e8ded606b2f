import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { loadModelPackage } from '../../acoustic/model/load-model.ts';
import type { ModelPackage } from '../../acoustic/model/model-package.ts';
import { SpeechfbError } from '../../errors.ts';
import { fileTrouble } from '../../file-trouble.ts';
import { isRegion, regionForm } from '../../protocol/region.ts';
import { hostName, isLoopback } from '../../server/admission/exposure.ts';
import type { Log } from '../../telemetry/log.ts';
import { NodeAddresses, parseNodeSource } from '../../trunk/gateway/node-addresses.ts';
import type { NodePoolOptions } from '../../trunk/gateway/node-pool.ts';
import { shippedPath } from '../package.ts';
import { checkNodeTls, type NodeTlsFiles } from './node-tls.ts';
import { type LocalTuning, localEngine, remoteEngine, type ServedEngine } from './served-engine.ts';

export const serveRoles = ['all', 'gateway', 'inference'] as const;

type ServeRole = (typeof serveRoles)[number];

/** What says which part of a service this process is, and how it finds the others. */
export type RoleFlags = {
  role: ServeRole;
  device: string;
  node?: string[];
  spillNode?: string[];
  nodeListen?: string;
  slots?: number;
  httpListen?: string;
  podDeletionCost?: string | true;
  region?: string;
  nodeCert?: string;
  nodeKey?: string;
  nodeCa?: string;
};

/**
 * The package of a server's own model, and its folder.
 *
 * @throws SpeechfbError `model_not_found`, `bad_model`
 */
export function ownModelOf({ model }: { model: string | undefined }): { folder: string; model: ModelPackage } {
  const folder = model ?? shippedPath('models/en-learner');
  return { folder, model: loadModelPackage(folder) };
}

/**
 * What scores for a server of this role.

 * @throws SpeechfbError `bad_flag`, `bad_tls`, `unsafe_host`
 */
export function servedEngine(
  flags: RoleFlags & LocalTuning & Pick<NodePoolOptions, 'tracing'>,
  model: ModelPackage,
  log: Log,
): ServedEngine {
  checkRole(flags);
  if (flags.role !== 'gateway') return localEngine(model, flags, log);
  const tls = readNodeTls(flags);
  const nodes = readNodes('--node', flags.node ?? [], tls !== undefined);
  const spill = flags.spillNode && readNodes('--spill-node', flags.spillNode, tls !== undefined);
  return remoteEngine({
    model,
    nodes,
    ...(spill && { spill }),
    region: flags.region ?? '',
    gateway: `${hostname()} ${process.pid}`,
    tls,
    tracing: flags.tracing,
    log,
  });
}

function readNodes(flag: '--node' | '--spill-node', texts: readonly string[], isEncrypted: boolean): NodeAddresses {
  const sources = texts.map((text) => parseNodeSource(text, flag));
  for (const source of sources) {
    if (!isEncrypted) checkClosed(flag, source.kind === 'dns' ? source.name : source.address);
  }
  return new NodeAddresses(sources);
}

/** @throws SpeechfbError `bad_flag` */
export function parseRegion(text: string): string {
  if (isRegion(text)) return text;
  throw new SpeechfbError('bad_flag', `"${text}" is not the name of a region: ${regionForm}`);
}

/** @throws SpeechfbError `bad_flag` for a flag that the role has no use for, or lacks. */
export function checkRole(flags: RoleFlags): void {
  const { role, node, spillNode, nodeListen, slots, httpListen, podDeletionCost } = flags;
  const refuse = (message: string, hint: string): never => {
    throw new SpeechfbError('bad_flag', message, { hint });
  };
  if (role === 'gateway' && (node ?? []).length === 0) {
    refuse('--role gateway needs --node', 'name each node as host:port, or all of a name as dns:name:port');
  }
  if (role !== 'gateway' && node) refuse(`--node is for --role gateway, not for ${role}`, 'add --role gateway');
  if (role !== 'gateway' && spillNode) {
    refuse(`--spill-node is for --role gateway, not for ${role}`, 'add --role gateway');
  }
  if (role === 'inference') return;
  const strays = {
    '--node-listen': nodeListen,
    '--slots': slots,
    '--http-listen': httpListen,
    '--pod-deletion-cost': podDeletionCost,
  };
  const stray = Object.entries(strays).find(([, value]) => value !== undefined)?.[0];
  if (stray) refuse(`${stray} is for --role inference, not for ${role}`, 'add --role inference');
}

/** Voices travel on the trunk: unencrypted only within this machine. */
export function checkClosed(flag: '--node' | '--spill-node' | '--node-listen', address: string): void {
  if (address.startsWith('unix:')) return;
  const host = hostName(address) ?? address;
  if (isLoopback(host)) return;
  throw new SpeechfbError('unsafe_host', `${flag} ${address} would send voices unencrypted over the network`, {
    hint: 'add --node-cert, --node-key and --node-ca to both ends',
  });
}

/** @throws SpeechfbError `bad_tls` */
export function readNodeTls({
  nodeCert,
  nodeKey,
  nodeCa,
}: Pick<RoleFlags, 'nodeCert' | 'nodeKey' | 'nodeCa'>): NodeTlsFiles | undefined {
  const given = { '--node-cert': nodeCert, '--node-key': nodeKey, '--node-ca': nodeCa };
  const missing = Object.entries(given).filter(([, path]) => path === undefined);
  if (missing.length === 3) return undefined;
  if (missing.length > 0) {
    const names = missing.map(([name]) => name).join(' and ');
    throw new SpeechfbError('bad_tls', `both ends of a trunk show a certificate: ${names} is missing`);
  }
  const paths = { certificate: nodeCert!, key: nodeKey!, authority: nodeCa! };
  const files = {
    certificate: readPem(`--node-cert ${nodeCert}`, paths.certificate),
    key: readPem(`--node-key ${nodeKey}`, paths.key),
    authority: readPem(`--node-ca ${nodeCa}`, paths.authority),
    paths,
  };
  checkNodeTls(files);
  return files;
}

/**
 * @param name its flag and the file
 * @throws SpeechfbError `bad_tls`
 */
export function readPem(name: string, path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new SpeechfbError('bad_tls', `cannot read ${name}: ${fileTrouble(cause)}`, { cause });
  }
}
