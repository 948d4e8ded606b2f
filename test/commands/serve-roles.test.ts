import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { newAuthority } from '../../src/load/service/authority.ts';
import { speechfb } from '../kit/command.ts';
import { childrenOf } from '../kit/processes.ts';
import { bin, runProgram } from '../kit/program.ts';
import { essence, finalOf, lastFrame, sendClip, startReading } from '../kit/server/reader.ts';
import { readClip } from '../kit/server/real.ts';
import { temporaryDirectory } from '../kit/temporary-directory.ts';

const clip = readClip('leader');

describe('speechfb serve in two roles', () => {
  it('reads through several gateways of one port, each with trunks of its own, under certificates that change', async () => {
    const tls = tlsFiles();
    const node = await start(['--role', 'inference', '--node-listen', '127.0.0.1:0', '--slots', '8', ...tls.flags]);
    const service = ['--role', 'gateway', '--gateways', '2', '--port', '0', '--node', node.said];
    const gateway = await start([...service, ...tls.flags]);
    const url = gateway.said;
    expect(childrenOf(gateway.child.pid!)).toHaveLength(2);
    await expect.poll(() => metricsOf(url)).toMatch(/^speechfb_slots 8$/m);

    const readers = await Promise.all(Array.from({ length: 4 }, () => startReading(url, clip)));
    for (const reader of readers) sendClip(reader, clip, 0, 60);
    await Promise.all(readers.map((reader) => reader.until('phoneme_feedback')));
    expect(new Set(readers.map((reader) => reader.of('ready')[0]!.session_id.charAt(0))).size).toBe(2);
    await expect.poll(() => metricsOf(url)).toMatch(/^speechfb_slots_free 4$/m);

    // A gateway that has come since shows the new certificate; those that were there lose nothing.
    tls.renew();
    await expect.poll(() => node.log()).toContain("took up the changed trunk's certificates");
    const second = await start([...service, ...tls.flags]);
    await expect.poll(() => metricsOf(second.said)).toMatch(/^speechfb_trunks [1-9]$/m);

    for (const reader of readers) sendClip(reader, clip, 61, lastFrame(clip));
    for (const reader of readers) reader.send({ type: 'close' });
    for (const reader of readers) expect((await reader.closed).code).toBe(1000);
    const results = readers.map(({ events }) =>
      finalOf(events)
        .words.flatMap((word) => word.phonemes)
        .map(essence),
    );
    for (const result of results) expect(result).toEqual(results[0]);
    await expect.poll(() => metricsOf(url)).toMatch(/^speechfb_slots_free 8$/m);
  });

  it.each([
    [['--role', 'all', '--spill-node', '127.0.0.1:1'], '--spill-node is for --role gateway, not for all'],
    [['--role', 'gateway', '--spill-node', '127.0.0.1:1'], '--role gateway needs --node'],
    [['--role', 'gateway', '--node', '127.0.0.1:1', '--spill-node', 'x'], '--spill-node "x" is no node'],
    [
      ['--role', 'gateway', '--node', '127.0.0.1:1', '--spill-node', '10.0.0.1:8091'],
      '--spill-node 10.0.0.1:8091 would send voices unencrypted over the network',
    ],
    [
      ['--role', 'gateway', '--node', '127.0.0.1:1', '--pod-deletion-cost'],
      '--pod-deletion-cost is for --role inference',
    ],
    [['--role', 'inference', '--pod-deletion-cost'], '--pod-deletion-cost: KUBERNETES_SERVICE_HOST is not set'],
    [['--role', 'inference', '--http-listen', '9091'], '--http-listen "9091" is no address'],
    [['--role', 'inference', '--gateways', '2'], '--gateways is not for --role inference'],
    [['--region', 'EU {west}'], '--region: "EU {west}" is not the name of a region: a to z, 0 to 9'],
  ])('refuses %j', async (flags, message) => {
    const { status, stderr } = await speechfb('serve', '--port', '0', ...flags);
    expect(stderr).toContain(message);
    expect(status).toBe(2);
  });

  it('ends a node whose HTTP port is taken, and has not said that it is ready', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    onTestFinished(() => void other.close());
    await once(other, 'listening');
    const taken = `127.0.0.1:${(other.address() as AddressInfo).port}`;
    const flags = ['--role', 'inference', '--node-listen', '127.0.0.1:0', '--http-listen', taken];
    const { code, stdout, stderr } = await runProgram(['serve', ...flags]);
    expect(stderr).toContain('[port_in_use]');
    expect(stdout).toBe('');
    expect(code).toBe(2);
  });
});

/** Certificates of an authority that both ends know, in files; `renew` writes new ones there. */
function tlsFiles() {
  const folder = join(temporaryDirectory(), 'tls');
  mkdirSync(folder);
  const authority = newAuthority('the authority of the nodes');
  const paths = { cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem'), ca: join(folder, 'ca.pem') };
  const renew = (): void => {
    const { certificate, key } = authority.issue();
    writeFileSync(paths.key, key);
    writeFileSync(paths.cert, certificate);
  };
  writeFileSync(paths.ca, authority.certificate);
  renew();
  return { flags: Object.entries(paths).flatMap(([name, path]) => [`--node-${name}`, path]), renew };
}

/** A process of `serve`, when it has said where it listens. */
async function start(flags: readonly string[]): Promise<{ child: ChildProcess; said: string; log(): string }> {
  const child = spawn(process.execPath, [bin, 'serve', ...flags], { stdio: ['ignore', 'pipe', 'pipe'] });
  onTestFinished(async () => {
    if (child.exitCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  });
  const output = { stdout: '', stderr: '' };
  child.stderr.on('data', (chunk: Buffer) => {
    output.stderr += chunk;
  });
  for await (const chunk of child.stdout) {
    output.stdout += chunk;
    const said = /ready at (\S+)\s/.exec(output.stdout)?.[1];
    if (said !== undefined) return { child, said, log: () => output.stderr };
  }
  throw new Error(`it ended before it was ready: ${output.stderr}`);
}

async function metricsOf(url: string): Promise<string> {
  return await (await fetch(new URL('/metrics', url.replace('ws', 'http')))).text();
}
