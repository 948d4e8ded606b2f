import { readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { RoutedSession } from '../../../src/server/hearing/routed-session.ts';
import { UsageLog } from '../../../src/server/hearing/usage-log.ts';
import { temporaryDirectory } from '../../kit/temporary-directory.ts';

const session: RoutedSession = {
  ...{ id: 'session-1', language: 'en-GB', lane: 'live', device: undefined },
  ...{ tenant: 'school', user: 'Ada' },
};

describe('the log of who used what', () => {
  it('has one line for a session, with what each backend heard of it', async () => {
    const { usage, path } = open();
    usage.heard({ session, backend: 'own', audioMs: 1000, dollars: 0.001 });
    usage.heard({ session, backend: 'other', audioMs: 500, dollars: 0.01 });
    usage.heard({ session, backend: 'own', audioMs: 250, dollars: 0.00025 });
    usage.ended(session);
    usage.ended({ ...session, id: 'nothing was heard of it' });
    await usage.close();
    expect(linesOf(path)).toEqual([
      {
        version: 1,
        time: '2026-01-01T00:00:00.000Z',
        session: expect.stringMatching(/^[0-9a-f]{16}$/),
        tenant: 'school',
        user: expect.stringMatching(/^[0-9a-f]{16}$/),
        language: 'en-GB',
        lane: 'live',
        part: false,
        backends: [
          { name: 'own', audio_ms: 1250, dollars: 0.00125 },
          { name: 'other', audio_ms: 500, dollars: 0.01 },
        ],
      },
    ]);
    expect(readFileSync(path, 'utf8')).not.toContain('Ada');
  });

  it('writes a line for each minute of a session that goes on, each with what no other has', async () => {
    const { usage, path, pass } = open();
    for (let minute = 0; minute < 3; minute += 1) {
      usage.heard({ session, backend: 'own', audioMs: 1000, dollars: 0 });
      pass(40_000);
    }
    usage.heard({ session, backend: 'own', audioMs: 10, dollars: 0 });
    usage.ended(session);
    await usage.close();
    const lines = linesOf(path);
    expect(lines.map(({ part }) => part)).toEqual([true, false]);
    expect(lines.reduce((sum, { backends }) => sum + backends[0]!.audio_ms, 0)).toBe(3010);
  });

  it('lets lines wait while they cannot be written, and says so', async () => {
    const { usage, path, said } = open();
    rmSync(dirname(path), { recursive: true });
    usage.heard({ session, backend: 'own', audioMs: 1000, dollars: 0 });
    usage.ended(session);
    await usage.close();
    expect(said).toEqual(['the usage log cannot be written; its lines wait']);
    expect(() => readFileSync(path)).toThrow();
  });
});

type Line = { part: boolean; backends: { name: string; audio_ms: number }[] };

function open() {
  const path = join(temporaryDirectory(), 'usage.jsonl');
  const said: string[] = [];
  const say = (_: object, message: string): void => void said.push(message);
  let nowMs = Date.UTC(2026, 0, 1);
  const usage = new UsageLog({ path, log: { info: say, warn: say, error: say }, wallMs: () => nowMs });
  const pass = (ms: number): void => {
    nowMs += ms;
  };
  return { usage, path, said, pass };
}

function linesOf(path: string): Line[] {
  return readFileSync(path, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
}
