import { basename } from 'node:path';
import { readWav } from '../audio/wav.ts';
import { type ExitCode, exitCodes } from '../errors.ts';
import { toPcm16 } from '../load/clips.ts';
import { type PlaybackSummary, playRecording } from '../load/playback.ts';
import { checkUrl } from '../load/scenario.ts';
import { readToken } from '../load/token.ts';
import type { ServerEvent } from '../protocol/server-messages.ts';
import { renderScore } from '../report/score-table.ts';
import { streamLine } from '../report/stream-lines.ts';
import { latencyLine } from '../report/stream-summary.ts';
import { newStreamView, type StreamView, withEvent } from '../report/stream-view.ts';
import { parseDurationMs } from '../units.ts';
import type { StreamFlags } from './stream.ts';
import { wantsColour } from './terminal.ts';

/** Plays the file and shows it; returns when the final has come. */
export async function runStream(file: string, flags: StreamFlags): Promise<ExitCode> {
  const wav = readWav(file);
  const stop = new AbortController();
  const show = await startShow(newStreamView(basename(file), wav.durationMs));
  const interrupt = () => stop.abort();
  process.once('SIGINT', interrupt);
  let summary: PlaybackSummary;
  try {
    summary = await playRecording(
      {
        recording: { pcm: toPcm16(wav.samples), sampleRateHz: wav.sampleRateHz },
        text: flags.text,
        url: checkUrl(flags.url),
        token: flags.tokenFile === undefined ? undefined : readToken(flags.tokenFile),
        frameMs: 20,
        emitIntervalMs: parseDurationMs(flags.emitInterval),
        cutAtMs: flags.cutAt === undefined ? undefined : parseDurationMs(flags.cutAt),
      },
      { ...show, signal: stop.signal },
    );
  } finally {
    show.stop();
    process.off('SIGINT', interrupt);
  }
  if (stop.signal.aborted) return exitCodes.interrupted;
  const { result, latenciesMs, drops, resumes } = show.view();
  if (result) process.stdout.write(`\n${renderScore(basename(file), result, { colour: wantsColour(process.stdout) })}`);
  process.stdout.write(`${latencyLine({ ...summary, latenciesMs, drops, resumes })}\n`);
  return exitCodes.pass;
}

/** A live screen in a terminal, one plain line an event elsewhere. */
async function startShow(first: StreamView) {
  let view = first;
  const screen = process.stdout.isTTY
    ? (await import('../report/stream-screen.tsx')).startStreamScreen(process.stdout, view)
    : undefined;
  const change = (next: StreamView) => {
    view = next;
    screen?.update(view);
  };
  const say = (line: string) => {
    if (!screen) process.stdout.write(`${line}\n`);
  };
  return {
    view: () => view,
    stop: () => screen?.stop(),
    onSpoken: (spokenMs: number) => change({ ...view, spokenMs: Math.min(spokenMs, view.totalMs) }),
    onDropped(atMs: number) {
      change({ ...view, state: 'reconnecting', drops: view.drops + 1 });
      say(`${(atMs / 1000).toFixed(2).padStart(6)} s  socket lost, resuming`);
    },
    onEvent(event: ServerEvent, atMs: number, latencyMs: number | undefined) {
      change(withEvent(view, event, latencyMs));
      say(streamLine(event, atMs, latencyMs));
    },
  };
}
