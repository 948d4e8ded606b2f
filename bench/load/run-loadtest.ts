import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** What the benches read of a report. */
export type Distribution = { samples: number; never: number } & Record<Percentile, number | null>;
/** Null: never. */
type Percentile = 'p50_ms' | 'p95_ms' | 'p99_ms';
type Report = {
  verdict: string;
  distributions: Partial<Record<string, Distribution>>;
  counts: Partial<Record<string, { count: number }>>;
  totals: { frames_sent: number };
};

/** The `spec` of a scenario, as YAML has it. */
export type Spec = Record<string, unknown> & { target: object };

/** A clip of fixtures/audio alone in a manifest of its own, with its words and their times. */
export type OneClip = { id: string; audio: string; text: string; words: { text: string; end_ms: number }[] };

/**
 * Runs `speechfb loadtest` on a scenario in a process of its own; a missed objective is no failure.
 * @param clip undefined: `spec.learners` says what is read
 * @param frameMs undefined: as long as a message of the protocol is.
 */
export async function runLoadtest(spec: Spec, clip?: OneClip, frameMs?: number): Promise<Report> {
  const directory = mkdtempSync(join(tmpdir(), 'speechfb-bench-'));
  try {
    const manifest = join(directory, 'clips.jsonl');
    if (clip) writeFileSync(manifest, `${JSON.stringify(clip)}\n`);
    const scenario = join(directory, 'scenario.yaml');
    const frame = frameMs === undefined ? {} : { frame: `${frameMs}ms` };
    const learners = { clips: manifest, ...frame, emitInterval: '100ms', pause: '200ms' };
    const whole = { apiVersion: 'speechfb.dev/v1alpha1', kind: 'LoadScenario', metadata: { name: 'bench' } };
    writeFileSync(scenario, JSON.stringify({ ...whole, spec: { learners, ...spec } }));
    const child = spawn(process.execPath, ['bin/speechfb', 'loadtest', scenario, '--json'], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (chunk) => {
      stdout += chunk;
    });
    child.stderr.on('data', (chunk) => {
      stderr = (stderr + chunk).slice(-2000);
    });
    await once(child, 'close');
    if (stdout === '') throw new Error(`loadtest exited ${child.exitCode}: ${stderr.trim()}`);
    return JSON.parse(stdout);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
