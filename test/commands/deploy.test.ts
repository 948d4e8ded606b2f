import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { readDeployInputs } from '../../src/commands/deploy/read.ts';
import { packageVersion } from '../../src/commands/package.ts';
import { planDeployment } from '../../src/deploy/deployment.ts';
import { helmChart } from '../../src/deploy/output.ts';
import { speechfb } from '../kit/command.ts';
import { temporaryDirectory } from '../kit/temporary-directory.ts';

const folder = temporaryDirectory();
const shipped = ['--capacity', 'live-class', '--slo', 'live-feedback', '--canary', 'canary'];

describe('speechfb deploy', () => {
  it('writes what kubectl takes, and says what the scenario comes to with it', async () => {
    const out = join(folder, 'manifests');
    const { status, stdout, stderr } = await speechfb('deploy', ...shipped, '--out', out, '--json');
    expect({ status, stderr }).toEqual({ status: 0, stderr: `speechfb: wrote 11 files to ${out}\n` });
    const told = JSON.parse(stdout);
    expect(told).toMatchObject({ name: 'speechfb', verdict: 'pass', played: { never_served: 0 } });
    expect(readdirSync(out).sort()).toEqual([...told.files].sort());
    const { resources } = parse(readFileSync(join(out, 'kustomization.yaml'), 'utf8'));
    for (const file of resources) expect(existsSync(join(out, file))).toBe(true);
    expect(resources).not.toContain('canary-1.yaml');
    const slots = told.figures.find(({ name }: { name: string }) => name === 'inference.slots');
    expect(slots).toMatchObject({
      value: 300,
      from: ['capacity/live-class.yaml:13:18', 'capacity/live-class.yaml:10:16'],
    });
  });

  it('tells each number with its reason, its lines and its places', async () => {
    const { status, stdout } = await speechfb('deploy', ...shipped, '--explain');
    expect(status).toBe(0);
    expect(stdout).toContain(
      [
        'inference.minReplicas = 204',
        '  the scenario asks for 204; users rise from 20,000 to 60,000 within the 2 m 30 s that a new pod needs: 204 pods must be there already',
        '  from capacity/live-class.yaml:15:26, capacity/live-class.yaml:13:32',
        '  in autoscaling.yaml: HorizontalPodAutoscaler speechfb-inference spec.minReplicas',
      ].join('\n'),
    );
  });

  it('ends with 99 when the scenario misses what it asserts with these autoscalers', async () => {
    const file = join(folder, 'tight.yaml');
    const text = readFileSync('capacity/live-class.yaml', 'utf8');
    writeFileSync(file, text.replace('minReplicas: 204', 'minReplicas: 60'));
    const { status, stdout } = await speechfb(
      'deploy',
      '--capacity',
      file,
      '--slo',
      'live-feedback',
      '--canary',
      'canary',
    );
    expect(status).toBe(99);
    expect(stdout).toContain('fail degradedShare <= 1%');
  });

  it('writes into no folder that holds what it did not make', async () => {
    const out = join(folder, 'manifests');
    writeFileSync(join(out, 'mine.yaml'), 'kind: ConfigMap\n');
    const { status, stderr } = await speechfb('deploy', ...shipped, '--out', out);
    expect(status).toBe(2);
    expect(stderr).toMatch(/has mine\.yaml in it.*\[output_unwritable\]/);
  });
});

it('ships the chart that it makes of what ships: npm run chart', () => {
  const { inputs, extras } = readDeployInputs({
    capacity: 'live-class',
    slo: 'live-feedback',
    canary: 'canary',
    format: 'helm',
  });
  const { files } = helmChart(planDeployment(inputs, extras), packageVersion());
  const there = readdirSync('deploy/chart', { recursive: true, encoding: 'utf8' }).filter((path) =>
    path.endsWith('.yaml'),
  );
  expect(there.sort()).toEqual(files.map(({ path }) => path).sort());
  for (const { path, text } of files) expect(readFileSync(join('deploy/chart', path), 'utf8'), path).toBe(text);
});
