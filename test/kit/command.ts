import { afterEach, beforeEach, vi } from 'vitest';
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

function divert(output: Output): () => void {
  const spies = (['stdout', 'stderr'] as const).map((stream) =>
    vi.spyOn(process[stream], 'write').mockImplementation((text) => {
      output[stream] += text;
      return true;
    }),
  );
  return () => {
    for (const spy of spies) spy.mockRestore();
  };
}
