import { writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { toS16le } from '../../audio/pcm.ts';
import { readWav } from '../../audio/wav.ts';
import { refusal } from '../../client/link/upgrade-answer.ts';
import { tlsTrouble } from '../../client/tls-trouble.ts';
import type { Dialect } from '../../dialects/dialect.ts';
import { likelyProtocol } from '../../dialects/likely-protocol.ts';
import { type ExitCode, exitCodes, SpeechfbError } from '../../errors.ts';
import { fileTrouble } from '../../file-trouble.ts';
import { flag } from '../../flag.ts';
import { formatMs } from '../../format.ts';
import { learn } from '../../load/probe/learn.ts';
import { mappingYaml } from '../../load/probe/learned-mapping.ts';
import { type ProbeMessage, type ProbeRun, playProbe } from '../../load/probe/play.ts';
import { type ProbeClip, ProbeReading } from '../../load/probe/reading.ts';
import { speechBegin } from '../../load/scenario/clips.ts';
import { messageLines, probeSummaryText } from '../../report/probe/probe-lines.ts';
import { parseDurationMs } from '../../units.ts';
import { interruptible } from '../interruption.ts';
import { printJson, say } from '../output.ts';
import { printReport } from '../terminal.ts';
import { probedDialect } from './dialect.ts';
import { probeDocument } from './document.ts';
import type { ProbeFlags } from './flags.ts';
import { type ProbedServer, probedServer } from './server.ts';
import { wordEnds } from './word-ends.ts';

/** Plays the file to the server and shows what it says; 98 where no final came. */
export async function runProbe(url: string, file: string, flags: ProbeFlags): Promise<ExitCode> {
  return await interruptible((signal) => probe(url, file, flags, signal));
}

async function probe(url: string, file: string, flags: ProbeFlags, signal: AbortSignal): Promise<ExitCode> {
  if (flags.text.trim() === '') throw new SpeechfbError('bad_flag', '--text: is empty; write what is being read');
  const dialect = probedDialect(flags);
  const server = probedServer(url, flags, dialect);
  const patience = {
    readyMs: timeoutOf('--ready-timeout', flags.readyTimeout),
    finalMs: timeoutOf('--final-timeout', flags.finalTimeout),
  };
  const wav = readWav(file);
  for (const note of wav.notes) say(`${basename(file)}: ${note}`);
  const pcm = toS16le(wav.samples);
  const recording = { pcm, sampleRateHz: wav.sampleRateHz };
  const words = await wordEnds({ ...recording, text: flags.text }, flags.language);
  const clip: ProbeClip = {
    text: flags.text,
    language: flags.language,
    soundMs: wav.durationMs,
    speechBeginMs: speechBegin(wav.samples, wav.sampleRateHz),
    ...(words && { words }),
  };
  const reading = new ProbeReading(clip, dialect);
  const run = await playProbe(
    { dialect, clip: recording, text: flags.text, language: flags.language, links: server.links, patience },
    { signal, onMessage: (message) => show(reading, server, message, flags) },
  );
  if (signal.aborted) return exitCodes.interrupted;
  refuseUnreached(run, server, dialect, flags);
  return told({ run, reading, clip, dialect, server, flags });
}

function show(
  reading: ProbeReading,
  server: ProbedServer,
  message: ProbeMessage,
  { json, protocol }: ProbeFlags,
): void {
  const lines = reading.add(hidden(message, server));
  if (json) return;
  for (const line of lines) {
    // What nobody claims to understand is neither right nor wrong.
    const shown = protocol === undefined ? { ...line, is: 'nothing' as const } : line;
    printReport(shown, (value, paint, columns) => messageLines(value, paint, columns));
  }
}

type Told = {
  run: ProbeRun;
  reading: ProbeReading;
  clip: ProbeClip;
  dialect: Dialect;
  server: ProbedServer;
  flags: ProbeFlags;
};

function told({ run, reading, clip, dialect, server, flags }: Told): ExitCode {
  const summary = reading.summary();
  const like = likelyProtocol(run.messages);
  const messages = run.messages.map((message) => hidden(message, server));
  if (flags.json)
    printJson(probeDocument({ url: server.shown, dialect, like, clip, run: { ...run, messages }, summary }));
  else if (flags.protocol !== undefined)
    printReport(summary, (value, paint, columns) => probeSummaryText(value, paint, columns));
  if (run.latestSendMs > lateMs)
    say(`this machine was up to ${formatMs(run.latestSendMs)} late in sending: latencies are no better than that`);
  const { outcome, code, reason } = run.end;
  if (outcome === 'lost') say(`the server ended the session: ${server.hide(reason) || 'without a word'} (${code})`);
  if (like !== undefined && like !== flags.protocol && !isOwnMapping(flags, summary.counts))
    say(`its messages look like those of ${like}: try --protocol ${like}`);
  if (flags.learn !== undefined) write(flags.learn, learnedFrom(messages, clip, dialect, server, flags));
  const heard = flags.protocol === undefined ? run.messages.length > 0 : summary.finalLatencyMs !== undefined;
  return heard ? exitCodes.pass : exitCodes.invalid;
}

/** A mapping of one's own that understands everything needs no advice. */
function isOwnMapping({ protocol }: ProbeFlags, counts: ReturnType<ProbeReading['summary']>['counts']): boolean {
  return protocol !== undefined && counts['not understood'] === undefined && counts.final !== undefined;
}

function learnedFrom(
  messages: readonly ProbeMessage[],
  clip: ProbeClip,
  dialect: Dialect,
  server: ProbedServer,
  { learn: file, sendFirst: first = [], sendLast: last = [] }: ProbeFlags,
): string {
  const learned = learn(messages, clip);
  if (!learned.rules.some(({ is }) => is === 'final'))
    throw new SpeechfbError('nothing_learned', 'no mapping was written: no message shows words of the text', {
      hint: learned.doubts[0] ?? 'the server said nothing; it may wait for a message before the sound: --send-first',
    });
  const name = basename(file!).replace(/\.ya?ml$/i, '');
  const plain =
    name
      .toLowerCase()
      .replace(/[^a-z0-9-]+/g, '-')
      .replace(/^-+|-+$/g, '') || 'learned';
  for (const doubt of learned.doubts) say(doubt);
  return mappingYaml(learned, { name: plain, path: server.path, audio: dialect.audio, first, last });
}

function write(file: string, text: string): void {
  try {
    writeFileSync(file, text, { flag: 'wx' });
  } catch (cause) {
    const isThere = (cause as NodeJS.ErrnoException).code === 'EEXIST';
    const why = `${fileTrouble(cause)}${isThere ? ', and is not overwritten' : ''}`;
    throw new SpeechfbError('output_unwritable', `${file} cannot be written: ${why}`, { cause });
  }
  say(`a first mapping is in ${file}; look it through, then: --protocol ${file}`);
}

/** A server that takes nobody, or says nothing to the upgrade, is no measurement. */
function refuseUnreached(
  { end, readyMs, messages }: ProbeRun,
  server: ProbedServer,
  dialect: Dialect,
  { readyTimeout }: ProbeFlags,
): void {
  const turnedAway = readyMs !== undefined && end.outcome === 'refused';
  if (messages.length > 0 || (readyMs !== undefined && !turnedAway)) return;
  // It was we who closed then.
  if (end.outcome === 'closed') {
    const message = `nothing to probe at ${server.shown}: it said nothing within ${readyTimeout}, and ${dialect.name} waits for its first word`;
    throw new SpeechfbError('session_refused', message, {
      hint: 'name another --protocol, or leave it out and look with --learn FILE',
    });
  }
  const why = server.hide(end.reason) || `it closed with code ${end.code}`;
  const code = turnedAway || why.startsWith(refusal) ? 'session_refused' : 'connection_refused';
  const trouble = tlsTrouble(why, server.hostname);
  const hint =
    trouble &&
    {
      plain: `try ${server.shown.replace(/^(ws|grpc)s:/, '$1:')}`,
      name: 'call it by a name of its certificate, or trust anybody with --insecure',
      untrusted: 'trust its authority with --ca FILE, or anybody with --insecure',
    }[trouble.kind];
  throw new SpeechfbError(code, `nothing to probe at ${server.shown}: ${trouble?.words ?? why}`, {
    ...(hint !== undefined && { hint }),
  });
}

function hidden(message: ProbeMessage, { hide }: ProbedServer): ProbeMessage {
  const { raw } = message;
  return typeof raw === 'string' ? { ...message, raw: hide(raw) } : message;
}

/** A duration from 100 ms to an hour. */
function timeoutOf(name: string, given: string): number {
  const ms = flag(name, parseDurationMs)(given);
  if (ms >= 100 && ms <= 3_600_000) return ms;
  throw new SpeechfbError('bad_flag', `${name} ${given} is not from 100 ms to 1 h`);
}

const lateMs = 20;
