import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, it, onTestFinished } from 'vitest';
import { freePort } from '../kit/free-port.ts';
import { bin } from '../kit/program.ts';
import { quicLack } from '../kit/quic-lack.ts';
import { metricsByTls } from '../kit/server/metrics-by-tls.ts';
import { temporaryDirectory } from '../kit/temporary-directory.ts';

const golden = resolve('test/kit/golden/localhost');

describe.skipIf(quicLack !== undefined)('a load test by datagrams over a path that loses 5 %', () => {
  it('counts each frame once: those that were heard, and those that the network lost', async () => {
    const tls = ['--tls-cert', `${golden}.cert.pem`, '--tls-key', `${golden}.key.pem`];
    const port = String(await freePort());
    const server = run(['serve', '--port', port, '--quic', '0', '--log-level', 'silent', '--gateways', '1', ...tls]);
    const path = ['--delay', '10ms', '--loss', '5%', '--seed', '3', '--json'];
    const ends = ['--listen', ':0', '--upstream', `127.0.0.1:${port}`, '--udp'];
    const netsim = run(['netsim', ...path, ...ends]);
    const summary = text(netsim.stdout!);
    const [url, entry] = await Promise.all([
      said(server.stdout, /ready at (wss:\S+)/),
      said(netsim.stderr, /between 127\.0\.0\.1:(\d+) and/),
    ]);

    const { counts, totals } = await loadtest(`wss://localhost:${entry}`);
    const metrics = await metricsByTls(url);
    netsim.kill('SIGINT');
    const { up } = JSON.parse(await summary);

    const of = (name: string) => Number(metrics.split(`\nspeechfb_${name} `)[1]?.split('\n')[0] ?? 0);
    // Frames behind a gap come early, and wait for those before them.
    const heard = of('frames_total{outcome="accepted"}') + of('frames_total{outcome="early"}');
    const lost = of('lost_frames_total');
    expect(totals).toMatchObject({ sessions: 3, sessions_ok: 3 });
    expect(heard + lost).toBe(totals.frames_sent);
    expect(counts.lost_by_network.count).toBe(lost);
    expect(counts.lost_frames.count).toBe(0);
    expect(of('datagrams_total{outcome="heard"}')).toBeLessThanOrEqual(heard + of('frames_total{outcome="late"}'));
    expect(lost).toBeGreaterThan(0);
    // Some of what the path lost were packets of the stream, which went again; a frame that came late was not lost there.
    expect(lost - of('frames_total{outcome="late"}')).toBeLessThanOrEqual(up.lost);
  });
});

async function loadtest(url: string) {
  const out = temporaryDirectory();
  const scenario = join(out, 'lossy.yaml');
  const target = `  target: { url: "${url}", transport: quic-datagram, tls: { ca: ${golden}.cert.pem } }`;
  const quickstart = readFileSync('scenarios/quickstart.yaml', 'utf8');
  writeFileSync(
    scenario,
    quickstart
      .replace('  target: {}', target)
      .replace('../fixtures', resolve('fixtures'))
      .replace('learners: 20\n    ramp: 3s', 'learners: 3'),
  );
  const child = run(['loadtest', scenario, '--duration', '2s', '--out', out]);
  const [words] = await Promise.all([text(child.stderr!), text(child.stdout!), once(child, 'close')]);
  expect(words).not.toMatch(/internal|bug/);
  return JSON.parse(readFileSync(join(out, 'run.json'), 'utf8'));
}

function run(args: readonly string[]): ChildProcess {
  const child = spawn(process.execPath, [bin, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  return child;
}

/** What a program says in the place of the group. */
async function said(stream: ChildProcess['stdout'], words: RegExp): Promise<string> {
  let all = '';
  return await new Promise((found, failed) => {
    stream!.on('data', (bytes) => {
      all += bytes;
      const what = words.exec(all)?.[1];
      if (what !== undefined) found(what);
    });
    stream!.on('end', () => failed(new Error(`ended before it said ${words}: ${all}`)));
  });
}
