import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { speechfb } from '../kit/command.ts';
import { temporaryDirectory } from '../kit/temporary-directory.ts';
import { type RivaOptions, startRiva } from '../kit/vendors/riva.ts';
import { ClipBook } from '../kit/vendors/script.ts';

const { find } = new ClipBook().addManifest('fixtures/audio/manifest.jsonl');
const clip = 'fixtures/audio/unlock.wav';
const text = 'To lock or unlock the conference.';

async function start(options: Partial<RivaOptions> = {}) {
  const riva = await startRiva({ find, ...options });
  onTestFinished(() => riva.close());
  return riva;
}

describe('probe', () => {
  it('shows a call as it shows a WebSocket, and its end', async () => {
    const { url } = await start({ authorization: 'Bearer sesame' });
    process.env.RIVA_KEY = 'sesame';
    const header = ['--header', 'authorization: Bearer ${env:RIVA_KEY}'];
    const { status, stdout } = await speechfb('probe', url, clip, '--text', text, '--protocol', 'riva', ...header);
    expect(status).toBe(0);
    expect(stdout).toContain('partial');
    expect(stdout).toMatch(/final {4}"to lock or unlock the conference"/);
    expect(stdout).toContain('"audio_processed":');
    expect(stdout).not.toContain('NOT UNDERSTOOD');
    expect(stdout).not.toContain('sesame');
  });

  it('is refused in the words of the server', async () => {
    const { url } = await start({ faults: { refuse: { status: 429 } } });
    const { status, stderr } = await speechfb('probe', url, clip, '--text', text, '--protocol', 'riva');
    expect(status).toBe(2);
    expect(stderr).toContain('RESOURCE_EXHAUSTED: too many concurrent streams');
  });

  it.each([
    [
      'a WebSocket for gRPC',
      ['ws://127.0.0.1:1', '--protocol', 'riva'],
      'riva is spoken over gRPC: write grpc://host:port',
    ],
    ['gRPC for a WebSocket', ['grpc://127.0.0.1:1', '--protocol', 'vosk'], 'vosk is spoken over a WebSocket'],
    ['nothing to learn from', ['grpc://127.0.0.1:1', '--learn', 'x.yaml'], 'a mapping that names its .proto'],
    [
      'a key in a query',
      ['grpc://127.0.0.1:1', '--protocol', 'riva', '--auth', 'key=${env:HOME}'],
      '--auth: a call of gRPC has no',
    ],
    ['a host beyond', ['grpc://riva.example.com:443', '--protocol', 'riva'], '--yes-load riva.example.com'],
  ])('does not take %s', async (_, [url = '', ...flags], sentence) => {
    const { status, stderr } = await speechfb('probe', url, clip, '--text', text, ...flags);
    expect(status).toBe(2);
    expect(stderr).toContain(sentence);
  });
});

it('loadtest loads a server over gRPC, and judges it', async () => {
  const riva = await start();
  const folder = temporaryDirectory();
  writeFileSync(
    join(folder, 'riva.yaml'),
    `apiVersion: speechfb.dev/v1alpha1
kind: LoadScenario
metadata: { name: riva }
spec:
  target: { url: "${riva.url}", protocol: riva }
  learners: { clips: [{ manifest: ${join(process.cwd(), 'fixtures/audio/manifest.jsonl')}, only: [unlock] }], pause: 200ms }
  load: { learners: 3 }
  duration: 5s
  objectives: [p50(final_latency) < 5s, wer < 5%]
`,
  );
  const { stdout, stderr } = await speechfb(
    'loadtest',
    join(folder, 'riva.yaml'),
    '--json',
    '--out',
    join(folder, 'run'),
  );
  const { objectives } = JSON.parse(stdout) as { objectives: { actual: number }[] };
  expect(objectives, stderr).toHaveLength(2);
  expect(riva.halfClosed).toBeGreaterThanOrEqual(3);
});
