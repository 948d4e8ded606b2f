import type { AcousticEngine } from '../../src/acoustic/engine/types.ts';
import type { ModelPackage } from '../../src/acoustic/model/model-package.ts';
import { readClips } from '../../src/load/scenario/clips.ts';
import { eachPhone } from '../../src/protocol/written-phones.ts';
import type { UtterancePipeline } from '../../src/scoring/pipeline.ts';
import { resolveReference } from '../../src/scoring/text/reference.ts';
import type { Feedback } from '../../src/scoring/utterance-scorer.ts';
import type { NodePool } from '../../src/trunk/gateway/node-pool.ts';

const frameMs = 20;

/** A learner who reads clips of the model's rate without end, a frame each 20 ms. */
export function readingOf(pool: NodePool, model: ModelPackage, at: number) {
  const clips = readClips('fixtures/audio/manifest.jsonl').filter((clip) => clip.sampleRateHz === model.sampleRateHz);
  const samplesAFrame = (model.sampleRateHz * frameMs) / 1000;
  const heard: { atMs: number; lateMs: number }[] = [];
  const counts = { lost: 0, doubled: 0, errors: 0 };
  const finishing = new Set<Promise<void>>();
  let text = at;
  let open: Text | undefined;
  let dueMs = performance.now() + (at % frameMs);
  const timer = setInterval(() => {
    for (; dueMs <= performance.now(); dueMs += frameMs) {
      open ??= begin();
      const frame = open.pcm.subarray(open.at, open.at + samplesAFrame);
      open.at += samplesAFrame;
      if (frame.length > 0) open.utterance.push(frame);
      if (open.at < open.pcm.length) continue;
      const finished = finish(open);
      finishing.add(finished);
      void finished.then(() => finishing.delete(finished));
      open = undefined;
    }
  }, 5);

  type Text = { utterance: UtterancePipeline; pcm: Int16Array; at: number; finals: Set<number> };

  function begin(): Text {
    const clip = clips[text % clips.length]!;
    text += 1;
    const reference = resolveReference({ text: clip.text });
    const finals = new Set<number>();
    const beganMs = dueMs;
    const onFeedback = ({ audioMs, phones }: Feedback): void => {
      const atMs = performance.now();
      heard.push({ atMs, lateMs: atMs - beganMs - audioMs });
      for (const { index, isFinal } of eachPhone(phones)) {
        if (isFinal && finals.has(index)) counts.doubled += 1;
        if (isFinal) finals.add(index);
      }
    };
    const onError = (): void => {
      counts.errors += 1;
    };
    const settings = { emitIntervalMs: 100, speaker: `speaker ${at}` };
    const utterance = pool.openUtterance({ model } as AcousticEngine, reference, settings, { onFeedback, onError });
    const pcm = new Int16Array(Uint8Array.from(clip.pcm).buffer);
    return { utterance, pcm, at: 0, finals };
  }

  async function finish({ utterance, finals }: Text): Promise<void> {
    try {
      const { words } = await utterance.finish();
      const said = new Set(words.flatMap(({ phonemes }) => phonemes.map(({ index }) => index)));
      for (const index of finals) if (!said.has(index)) counts.lost += 1;
    } catch {
      counts.errors += 1;
    }
  }

  return {
    /** How late each feedback was that came since then, from when its sound was due, ms. */
    latenciesMs: (sinceMs: number) => heard.filter(({ atMs }) => atMs >= sinceMs).map(({ lateMs }) => lateMs),
    /** Stops reading; what became of everything that was read to its end. */
    async end() {
      clearInterval(timer);
      open?.utterance.close();
      await Promise.all(finishing);
      return counts;
    },
  };
}
