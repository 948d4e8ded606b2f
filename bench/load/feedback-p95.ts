import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { type OneClip, runLoadtest } from './run-loadtest.ts';

/** The p95 of feedback's latency that so many learners have at a server who read one clip, ms. */
export async function feedbackP95Ms(url: string, { sessions, seconds }: { sessions: number; seconds: number }) {
  const spec = {
    target: { url },
    load: { learners: sessions, ramp: '2s' },
    duration: `${seconds}s`,
    seed: 1,
    objectives: ['p95(feedback_latency) < 5s'],
  };
  const { distributions } = await runLoadtest(spec, clipOf('leader'), 20);
  const feedback = distributions.feedback_latency;
  if (!feedback || feedback.p95_ms === null) throw new Error('no feedback came, or p95 of it is never');
  return feedback.p95_ms;
}

function clipOf(id: string): OneClip {
  const lines = readFileSync('fixtures/audio/manifest.jsonl', 'utf8').trim().split('\n');
  const clip = lines.map((line): OneClip => JSON.parse(line)).find((one) => one.id === id)!;
  return { ...clip, audio: resolve('fixtures/audio', clip.audio) };
}
