import { type ChildProcess, spawn } from 'node:child_process';
import { SpeechfbError } from '../../errors.ts';

/** A server in a process of its own, so that it shares no thread with the load generator. */
export type EmbeddedServer = {
  url: string;
  pid: number;
  /** Resolves when the process is gone: its exit code, or null after a signal. */
  exited: Promise<number | null>;
  /** Drains it with SIGTERM; kills it when that takes longer than `patienceMs`. */
  stop(): Promise<void>;
  /** At once. */
  kill(): void;
  /** Stops the process where it stands (SIGSTOP), and lets it go on; false when it is gone. */
  pause(): boolean;
  resume(): boolean;
};

/** How to run `speechfb serve --port 0`, without a shell. */
export type ServeCommand = { file: string; args: readonly string[] };

const patienceMs = 15_000;

/** Starts the server and waits until it says where it listens; `server_failed` quotes its last words. */
export async function startEmbedded(command: ServeCommand, startupMs = 60_000): Promise<EmbeddedServer> {
  const child = spawn(command.file, [...command.args], { stdio: ['ignore', 'pipe', 'pipe'] });
  const exited = new Promise<number | null>((resolve) => {
    child.once('exit', resolve);
    child.once('error', () => resolve(null));
  });
  const url = await listening(child, exited, startupMs);
  return {
    url,
    pid: child.pid!,
    exited,
    stop: () => stop(child, exited),
    kill: () => child.kill('SIGKILL'),
    pause: () => child.kill('SIGSTOP'),
    resume: () => child.kill('SIGCONT'),
  };
}

async function listening(child: ChildProcess, exited: Promise<number | null>, startupMs: number): Promise<string> {
  let said = '';
  let timer: NodeJS.Timeout | undefined;
  const found = new Promise<string>((resolve) => {
    const listen = (chunk: Buffer) => {
      said = (said + chunk).slice(-8192);
      const url = /wss?:\/\/[^\s"']+\/v1\/stream/.exec(said)?.[0];
      if (url) resolve(url);
    };
    child.stdout?.on('data', listen);
    child.stderr?.on('data', listen);
  });
  const failed = exited.then(() => undefined);
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, startupMs);
  });
  const url = await Promise.race([found, failed, late]);
  clearTimeout(timer);
  if (url) return url;
  child.kill('SIGKILL');
  const { words, problems, hint } = lastWords(said);
  throw new SpeechfbError('server_failed', `the embedded server did not start: ${words}`, { problems, hint });
}

/** Of what a program has said: its error with all that belongs to it, if it ended with one of ours, or the last lines. */
function lastWords(said: string): { words: string; problems: { message: string }[]; hint: string } {
  const lines = said.trim().split('\n');
  const hint = 'run speechfb serve by itself to see all of its output';
  const begin = lines.findLastIndex((line) => line.startsWith('speechfb: '));
  const error = /^speechfb: (.*?)(?: \[\w+\])?$/.exec(lines[begin] ?? '')?.[1];
  if (error === undefined) return { words: lines.slice(-5).join('\n') || 'it said nothing', problems: [], hint };
  const details = lines.slice(begin + 1).map((line) => line.trim());
  const given = details.find((line) => line.startsWith('hint: '))?.slice('hint: '.length);
  const problems = details.filter((line) => !line.startsWith('hint: ')).map((message) => ({ message }));
  return { words: error, problems, hint: given ?? hint };
}

async function stop(child: ChildProcess, exited: Promise<number | null>): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGTERM');
  // A stopped process hears SIGTERM only when it goes on.
  child.kill('SIGCONT');
  const timer = setTimeout(() => child.kill('SIGKILL'), patienceMs);
  await exited;
  clearTimeout(timer);
}
