import { afterEach, beforeEach } from 'vitest';
import { main } from '../../src/cli.ts';

export type Output = { stdout: string; stderr: string };

/** What this process writes during each test of the file, kept from the terminal; forgotten before the next test. */
export function captureOutput(): Output {
  const output: Output = { stdout: '', stderr: '' };
  let release = () => {};
  beforeEach(() => {
    output.stdout = '';
    output.stderr = '';
    release = divert(output);
  });
  afterEach(() => release());
  return output;
}

/** One command line in this process: its exit code and what it wrote. */
export async function speechfb(...args: string[]): Promise<Output & { status: number }> {
  const output: Output = { stdout: '', stderr: '' };
  const release = divert(output);
  try {
    return { status: await main(args), ...output };
  } finally {
    release();
  }
}

/** Takes what is written; without spies of vitest, which keep all that each was ever called with. */
function divert(output: Output): () => void {
  const { stdout, stderr } = process;
  const kept = { stdout: stdout.write, stderr: stderr.write };
  const into = (stream: keyof Output) => (text: string | Uint8Array) => {
    output[stream] += text;
    return true;
  };
  stdout.write = into('stdout');
  stderr.write = into('stderr');
  return () => {
    stdout.write = kept.stdout;
    stderr.write = kept.stderr;
  };
}
