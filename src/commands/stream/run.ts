import { basename } from 'node:path';
import { toS16le } from '../../audio/pcm.ts';
import { readWav } from '../../audio/wav.ts';
import type { LinkTransport } from '../../client/link/quic-way.ts';
import { type PlaybackSummary, playRecording } from '../../client/playback.ts';
import { readToken } from '../../client/token.ts';
import { checkUrl } from '../../client/url.ts';
import { readText } from '../../config/read-chunks.ts';
import { type ExitCode, exitCodes, SpeechfbError } from '../../errors.ts';
import { flag } from '../../flag.ts';
import { sampleRatesHz } from '../../protocol/client-messages.ts';
import { loadQuic } from '../../quic/library.ts';
import { renderScore } from '../../report/score/score-table.ts';
import { latencyLine } from '../../report/score/stream-lines.ts';
import { newStreamView } from '../../report/score/stream-view.ts';
import type { SecretUrl } from '../../secret-url.ts';
import { parseDurationMs } from '../../units.ts';
import { interruptible } from '../interruption.ts';
import { say } from '../output.ts';
import { printReport } from '../terminal.ts';
import type { StreamFlags } from './flags.ts';
import { startStreamShow } from './show.ts';

/** Plays the file and shows it; returns when the final has come, or when it is interrupted. */
export async function runStream(file: string, flags: StreamFlags): Promise<ExitCode> {
  return await interruptible((signal) => playFile(file, flags, signal));
}

async function playFile(file: string, flags: StreamFlags, signal: AbortSignal): Promise<ExitCode> {
  const wav = readWav(file, { ratesHz: sampleRatesHz });
  for (const note of wav.notes) say(`${basename(file)}: ${note}`);
  const [url = checkUrl(defaultUrl), ...alsoAt] = (flags.url ?? []).map(checkUrl);
  if (flags.transport !== 'websocket') await checkQuic(flags.transport, [url, ...alsoAt]);
  const show = await startStreamShow(newStreamView(basename(file), wav.durationMs));
  let summary: PlaybackSummary;
  try {
    summary = await playRecording(
      {
        recording: { pcm: toS16le(wav.samples), sampleRateHz: wav.sampleRateHz },
        text: flags.text,
        url,
        alsoAt,
        transport: flags.transport,
        tls: flags.tlsCa === undefined ? undefined : { ca: readText(flags.tlsCa, 'certificate authority', caHint) },
        token: flags.tokenFile === undefined ? undefined : readToken(flags.tokenFile),
        frameMs: 20,
        lane: flags.lane,
        emitIntervalMs: flag('--emit-interval', parseDurationMs)(flags.emitInterval),
        patience: {
          readyMs: timeoutOf('--ready-timeout', flags.readyTimeout),
          answerMs: timeoutOf('--answer-timeout', flags.answerTimeout),
          finalMs: timeoutOf('--final-timeout', flags.finalTimeout),
        },
        cutAtMs: flags.cutAt === undefined ? undefined : flag('--cut-at', parseDurationMs)(flags.cutAt),
      },
      { ...show, signal },
    );
  } finally {
    show.stop();
  }
  if (signal.aborted) return exitCodes.interrupted;
  const { result, latenciesMs, drops, resumes } = show.view();
  if (result)
    printReport(
      { title: basename(file), result },
      (shown, paint) => `\n${renderScore(shown.title, shown.result, paint)}`,
    );
  printReport({ ...summary, latenciesMs, drops, resumes }, (totals) => `${latencyLine(totals)}\n`);
  return exitCodes.pass;
}

const defaultUrl = 'ws://127.0.0.1:8090/v1/stream';

const caHint = '--tls-ca takes a PEM file';

/** Whether QUIC can be spoken, and to where the URLs lead. */
async function checkQuic(transport: LinkTransport, urls: readonly SecretUrl[]): Promise<void> {
  const plain = urls.find((url) => !url.isSecure);
  if (plain) throw new SpeechfbError('bad_flag', `--transport ${transport} needs a wss:// URL, but --url is ${plain}`);
  await loadQuic();
}

/** A duration from 100 ms to an hour. */
function timeoutOf(name: string, given: string): number {
  const ms = flag(name, parseDurationMs)(given);
  if (ms >= 100 && ms <= 3_600_000) return ms;
  throw new SpeechfbError('bad_flag', `${name} ${given} is not from 100 ms to 1 h`);
}
