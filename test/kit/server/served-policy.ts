import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { renameSync, writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { bin } from '../program.ts';
import { connect, startMessage } from './client.ts';

/** What a learner reads, in a language that the own model does not know. */
export const readAloud = 'paka ameketi kwenye mkeka';

/** Two scripted backends, which write what is read, and what else is said of `next`. */
export function policyText({ next = '', canary = '', to = 'now' } = {}): string {
  return `apiVersion: speechfb.dev/v1alpha1
kind: RoutingPolicy
metadata: { name: live }
spec:
  backends:
    - { name: now, kind: scripted, price: $0.006/min, script: { delay: 0ms, word: 10ms } }
    - { name: next, kind: scripted, price: $0.006/min, fallback: now, script: { delay: 0ms, word: 10ms${next} } }
  rules:
    - { name: all, to: { ${to}: 100% } }
${canary}`;
}

/** A server that serves by a policy. */
export type ServedPolicy = AsyncDisposable & {
  url: string;
  /** What it has logged. */
  said(): string;
};

export async function servePolicy(gateways: number, ...flags: string[]): Promise<ServedPolicy> {
  const command = [bin, 'serve', '--port', '0', '--gateways', String(gateways), ...unbounded, ...flags];
  const child: ChildProcess = spawn(process.execPath, command);
  const gone = once(child, 'exit');
  let said = '';
  child.stderr!.on('data', (chunk) => {
    said += chunk;
  });
  const [ready] = await Promise.race([
    once(createInterface(child.stdout!), 'line'),
    gone.then(() => Promise.reject(new Error(said))),
  ]);
  return {
    url: / at (\S+) /.exec(String(ready))![1]!,
    said: () => said,
    async [Symbol.asyncDispose]() {
      // The second signal does not wait for a drain, and gateways end with their parent.
      for (const _ of [1, 2]) child.kill('SIGTERM');
      await gone;
    },
  };
}

/** Learners here come as fast as they can. */
const unbounded = ['starts', 'start_phones', 'handshakes'].flatMap((what) => ['--limit', `${what}_per_second=1000000`]);

/** Another text of a file at once: who looks at it sees no half of it. */
export function replaceFile(file: string, text: string): void {
  writeFileSync(`${file}.next`, text);
  renameSync(`${file}.next`, file);
}

/** One learner reads: who began to write it, who wrote it in the end, and what. */
export async function readOnce(url: string) {
  const client = await connect(url);
  client.send(startMessage({ language: 'sw', reference: { text: readAloud } }));
  const { backend: began } = await client.until('ready');
  client.frames(0, 4);
  client.send({ type: 'close' });
  const { backend, text } = await client.until('utterance_final');
  await client.closed;
  return { began, backend, text };
}
