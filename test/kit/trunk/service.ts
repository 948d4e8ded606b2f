import { credentials } from '@grpc/grpc-js';
import { onTestFinished } from 'vitest';
import type { AcousticEngine } from '../../../src/acoustic/engine/types.ts';
import { eachPhone } from '../../../src/protocol/written-phones.ts';
import type { OpenUtterance } from '../../../src/scoring/pipeline.ts';
import type { Feedback } from '../../../src/scoring/utterance-scorer.ts';
import { createLog, type Log } from '../../../src/telemetry/log.ts';
import type { NodeTracing } from '../../../src/telemetry/tracing/tracing.ts';
import { NodeAddresses, parseNodeSource } from '../../../src/trunk/gateway/node-addresses.ts';
import { NodePool } from '../../../src/trunk/gateway/node-pool.ts';
import { type InferenceNode, startInferenceNode } from '../../../src/trunk/node/inference-node.ts';
import { scriptedEngine, scriptedScoring } from '../server/scripted.ts';

const silent = createLog('silent', { write() {} });
const letters = ['SIL', ...'ABCDEFGHIJKLMNOPQRSTUVWXYZ'];

function engineOf(version = '0'): AcousticEngine {
  const engine = scriptedEngine();
  return { ...engine, model: { ...engine.model, version, phones: letters } };
}

type NodeTls = { certificate: string; key: string; authority: string };

export async function node(
  changes: {
    slots?: number;
    version?: string;
    region?: string;
    open?: OpenUtterance;
    tls?: NodeTls;
    address?: string;
    log?: Log;
    silentMs?: number;
    tracing?: NodeTracing;
  } = {},
): Promise<InferenceNode> {
  const {
    slots = 4,
    version,
    region = '',
    open = scriptedScoring.openUtterance,
    tls,
    address = '127.0.0.1:0',
    log = silent,
    silentMs,
    tracing,
  } = changes;
  const started = await startInferenceNode({
    engine: engineOf(version),
    openUtterance: open,
    log,
    name: 'node',
    region,
    slots,
    leaseTtlMs: 5000,
    drainMs: 2000,
    address,
    tls,
    tracing,
    ...(silentMs !== undefined && { silentMs }),
  });
  onTestFinished(() => started.close());
  return started;
}

export const poolOptions = { model: engineOf().model, region: '', gateway: 'test', log: silent, homelessMs: 1500 };

export async function pool(
  nodes: readonly { address: string }[],
  also: readonly { address: string }[] = [],
  shown = credentials.createInsecure(),
  spillNodes: readonly { address: string }[] = [],
): Promise<NodePool> {
  const addressesOf = (named: readonly { address: string }[]) =>
    new NodeAddresses(named.map(({ address }) => parseNodeSource(address)));
  const spill = addressesOf(spillNodes);
  const opened = new NodePool({ ...poolOptions, nodes: addressesOf([...also, ...nodes]), spill, credentials: shown });
  onTestFinished(() => opened.close());
  await until(() => opened.stats().trunks === nodes.length + spillNodes.length && opened.stats().free > 0);
  return opened;
}

/** One learner who reads `text`; what the learner is told, and how it ends. */
export function reader(from: NodePool, speaker: string, text = 'abcdefghij klmnopqrst', settings = {}) {
  const told: Feedback[] = [];
  const errors: Error[] = [];
  const reference = scriptedScoring.readReference({ text }, 1000);
  const utterance = from.openUtterance(
    engineOf(),
    reference,
    { emitIntervalMs: 100, speaker, ...settings },
    {
      onFeedback: (feedback) => told.push(feedback),
      onError: (error) => errors.push(error),
    },
  );
  const speak = (ms: number) => {
    for (let at = 0; at < ms; at += 20) utterance.push(new Float32Array(320).fill(1 / 4));
  };
  const finals = () => told.flatMap(({ phones }) => eachPhone(phones).filter(({ isFinal }) => isFinal));
  return { utterance, told, errors, speak, finals, heardMs: () => told.at(-1)?.audioMs ?? 0 };
}

export async function until(isSo: () => boolean, mostMs = 30_000): Promise<void> {
  const endMs = performance.now() + mostMs;
  while (!isSo()) {
    if (performance.now() > endMs) throw new Error(`never came: ${String(isSo)}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
