import { type ExitCode, exitCodes, SpeechfbError } from '../../errors.ts';
import { flag, wholeNumber } from '../../flag.ts';
import { type Address, parseAddress } from '../../proxy/address.ts';
import { startDatagramProxy } from '../../proxy/datagram-proxy.ts';
import { isItself } from '../../proxy/itself.ts';
import { startProxy } from '../../proxy/proxy.ts';
import { datagramLine, renderDatagramSummary } from '../../report/network/datagram-text.ts';
import { proxyLine, renderProxySummary } from '../../report/network/proxy-text.ts';
import type { NetworkProfile } from '../../sim/profile/profile.ts';
import { parseDurationMs } from '../../units.ts';
import { interruptible } from '../interruption.ts';
import { printJson, say } from '../output.ts';
import { printReport } from '../terminal.ts';
import type { NetsimFlags } from './flags.ts';

/** A proxy of either protocol that runs: what it says each second, and at the end. */
type Running<Summary> = { port: number; line(): string | undefined; stop(): Summary };

/** What the flags say of a proxy. */
type Place = {
  network: NetworkProfile;
  seed: number;
  listen: Address;
  upstream: Address;
  onEvent(sentence: string): void;
};

/**
 * Imposes the network on every connection, or on the datagrams of every client, until Ctrl-C or the
 * end of --duration; then says what went through. Being stopped is how a proxy ends: exit 0.
 */
export async function runProxy(network: NetworkProfile, flags: NetsimFlags): Promise<ExitCode> {
  const place = await readPlace(network, flags);
  const durationMs = flags.duration === undefined ? undefined : flag('--duration', parseLength)(flags.duration);
  if (flags.udp) {
    const summary = await runUntilStopped(place, durationMs, async () => {
      const proxy = await startDatagramProxy(place);
      return { ...proxy, line: () => datagramLine(proxy.takeSecond()) };
    });
    if (flags.json) printJson(summary);
    else printReport(summary, renderDatagramSummary);
    return exitCodes.pass;
  }
  const summary = await runUntilStopped(place, durationMs, async () => {
    const proxy = await startProxy(place);
    return { ...proxy, line: () => proxyLine(proxy.takeSecond()) };
  });
  if (flags.json) printJson(summary);
  else printReport(summary, renderProxySummary);
  return exitCodes.pass;
}

async function readPlace(network: NetworkProfile, flags: NetsimFlags): Promise<Place> {
  if (flags.listen === undefined || flags.upstream === undefined)
    throw new SpeechfbError(
      'bad_flag',
      '--listen and --upstream go together: where to listen, and where to pass it on',
    );
  const idle = (['clients', 'plot'] as const).filter((name) => flags[name] !== undefined);
  if (idle.length > 0)
    throw new SpeechfbError('bad_flag', `--${idle[0]} is of runs in virtual time and does not go with --listen`);
  if (flags.udp && flags.transport !== undefined)
    throw new SpeechfbError(
      'bad_flag',
      `--transport: "${flags.transport}" is simulated, and over --udp the program behind it brings its own; allowed: one of the two`,
    );
  if (!flags.udp && network.transport === 'quic-datagram')
    throw new SpeechfbError(
      'bad_flag',
      'a proxy of TCP cannot lose bytes as quic-datagram does; allowed: tcp, tcp-tls, quic-stream, or --udp for a program that speaks QUIC itself',
    );
  const listen = flag('--listen', (text) => parseAddress(text, '127.0.0.1'))(flags.listen);
  const upstream = flag('--upstream', parseAddress)(flags.upstream);
  if (await isItself(listen, upstream))
    throw new SpeechfbError(
      'bad_flag',
      `--upstream: "${flags.upstream}" is where --listen listens: each connection would open the next; allowed: another port or machine`,
    );
  const seed = flag('--seed', wholeNumber(0, 0xffffffff))(flags.seed);
  return { network, seed, listen, upstream, onEvent: sayHere };
}

/** Starts it, says where it is and what passes, and stops it. */
function runUntilStopped<Summary>(
  { network, listen, upstream }: Place,
  durationMs: number | undefined,
  start: () => Promise<Running<Summary>>,
): Promise<Summary> {
  return interruptible(async (signal) => {
    const proxy = await start();
    const between = `${shown(listen.host, proxy.port)} and ${shown(upstream.host, upstream.port)}`;
    sayHere(`${network.name} between ${between}; Ctrl-C ends it`);
    if (!isLoopback(listen.host)) sayHere(`every machine that reaches ${listen.host} can use this proxy`);
    return await untilStopped(proxy, durationMs, signal);
  });
}

function untilStopped<Summary>(
  proxy: Running<Summary>,
  durationMs: number | undefined,
  signal: AbortSignal,
): Promise<Summary> {
  const each = setInterval(() => {
    const line = proxy.line();
    if (line) sayHere(line);
  }, 1000);
  return new Promise((resolve) => {
    const stop = () => {
      clearInterval(each);
      clearTimeout(end);
      signal.removeEventListener('abort', stop);
      resolve(proxy.stop());
    };
    const end = durationMs === undefined ? undefined : setTimeout(stop, durationMs);
    signal.addEventListener('abort', stop);
    if (signal.aborted) stop();
  });
}

function sayHere(sentence: string): void {
  say(`netsim: ${sentence}`);
}

/** A longer timer than of 24 days fires at once. */
function parseLength(text: string): number {
  const ms = parseDurationMs(text);
  if (ms > 0 && ms <= longestMs) return ms;
  throw new SpeechfbError('bad_flag', `"${text}" is not how long a proxy can be there; allowed: above 0 s, up to 168h`);
}

const longestMs = 168 * 3_600_000;

function shown(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host.startsWith('127.');
}
