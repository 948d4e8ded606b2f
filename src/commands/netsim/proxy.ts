import { type ExitCode, exitCodes, SpeechfbError } from '../../errors.ts';
import { flag, wholeNumber } from '../../flag.ts';
import { parseAddress } from '../../proxy/address.ts';
import { isItself } from '../../proxy/itself.ts';
import type { ProxySummary } from '../../proxy/meter.ts';
import { startProxy } from '../../proxy/proxy.ts';
import { proxyLine, renderProxySummary } from '../../report/network/proxy-text.ts';
import type { NetworkProfile } from '../../sim/profile/profile.ts';
import { parseDurationMs } from '../../units.ts';
import { interruptible } from '../interruption.ts';
import { printJson, say } from '../output.ts';
import { printReport } from '../terminal.ts';
import type { NetsimFlags } from './flags.ts';

/**
 * Imposes the network on every connection until Ctrl-C or the end of --duration; then says what
 * went through. Being stopped is how a proxy ends: exit 0.
 */
export async function runProxy(network: NetworkProfile, flags: NetsimFlags): Promise<ExitCode> {
  if (flags.listen === undefined || flags.upstream === undefined)
    throw new SpeechfbError(
      'bad_flag',
      '--listen and --upstream go together: where to listen, and where to pass it on',
    );
  const idle = (['clients', 'plot'] as const).filter((name) => flags[name] !== undefined);
  if (idle.length > 0)
    throw new SpeechfbError('bad_flag', `--${idle[0]} is of runs in virtual time and does not go with --listen`);
  if (network.transport === 'quic-datagram')
    throw new SpeechfbError(
      'bad_flag',
      'a proxy of TCP cannot lose bytes as quic-datagram does; allowed: tcp, tcp-tls, quic-stream',
    );
  const listen = flag('--listen', (text) => parseAddress(text, '127.0.0.1'))(flags.listen);
  const upstream = flag('--upstream', parseAddress)(flags.upstream);
  if (await isItself(listen, upstream))
    throw new SpeechfbError(
      'bad_flag',
      `--upstream: "${flags.upstream}" is where --listen listens: each connection would open the next; allowed: another port or machine`,
    );
  const durationMs = flags.duration === undefined ? undefined : flag('--duration', parseLength)(flags.duration);
  const seed = flag('--seed', wholeNumber(0, 0xffffffff))(flags.seed);
  const sayHere = (sentence: string) => say(`netsim: ${sentence}`);
  const summary = await interruptible(async (signal) => {
    const proxy = await startProxy({ network, seed, listen, upstream, onEvent: sayHere });
    const between = `${shown(listen.host, proxy.port)} and ${shown(upstream.host, upstream.port)}`;
    sayHere(`${network.name} between ${between}; Ctrl-C ends it`);
    if (!isLoopback(listen.host)) sayHere(`every machine that reaches ${listen.host} can use this proxy`);
    return await untilStopped(proxy, durationMs, sayHere, signal);
  });
  if (flags.json) printJson(summary);
  else printReport(summary, renderProxySummary);
  return exitCodes.pass;
}

function untilStopped(
  proxy: Awaited<ReturnType<typeof startProxy>>,
  durationMs: number | undefined,
  sayHere: (sentence: string) => void,
  signal: AbortSignal,
): Promise<ProxySummary> {
  const each = setInterval(() => {
    const line = proxyLine(proxy.takeSecond());
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
