import { formatMs, lengthText, percentText } from '../../format.ts';
import {
  type Loss,
  type NetworkEvent,
  type NetworkProfile,
  type PathProfile,
  type QuicWindows,
  rfc9002Windows,
  type Schedule,
} from '../../sim/profile/profile.ts';

/** `35 ms ± 10 ms (normal), 12 Mbit/s, queue of 100 packets, 1 % lost`. */
export function pathWords(path: PathProfile): string {
  const { jitter, queuePackets } = path;
  const correlated = jitter && jitter.correlation > 0 ? `, correlated ${percentText(jitter.correlation)}` : '';
  const spread = jitter ? ` ± ${lengthText(jitter.valueUs / 1000)} (${jitter.distribution}${correlated})` : '';
  const link = linkWords(path);
  const parts = [
    `${lengthText(path.delayUs / 1000)}${spread}`,
    link ?? 'any rate',
    ...(link ? [`queue of ${queuePackets} packets`] : []),
    lossWords(path.loss),
    ...(path.reorder ? ['may reorder'] : []),
  ];
  return parts.join(', ');
}

/** `tcp-tls`, and what it does when that is not what everyone does. */
export function transportWords({ transport, tcp, quic }: NetworkProfile): string {
  if (transport.startsWith('quic')) return `${transport} (modelled, not measured)${windowWords(quic)}`;
  return tcp.rtoMinUs === 200_000 ? transport : `${transport}, least RTO ${lengthText(tcp.rtoMinUs / 1000)}`;
}

function windowWords({ initialWindowBytes, leastWindowBytes }: QuicWindows): string {
  const usual = rfc9002Windows;
  if (initialWindowBytes === usual.initialWindowBytes && leastWindowBytes === usual.leastWindowBytes) return '';
  return `, a window of ${initialWindowBytes} bytes at first and ${leastWindowBytes} at least`;
}

/** `handover of 80 ms about each 45 s, packets wait`. */
export function eventWords(event: NetworkEvent): string {
  const when = scheduleWords(event.when);
  if (event.kind === 'ip-change') {
    const { first, most } = event.backoffUs;
    const old = event.oldSocket === 'silent' ? 'falls silent' : 'is reset';
    return `another address ${when}: the old socket ${old}, a new one within ${lengthText(first / 1000)} to ${lengthText(most / 1000)}`;
  }
  const side = event.kind === 'outage' && event.direction !== undefined ? `, ${event.direction} only` : '';
  const fate = event.mode === 'buffer' ? 'packets wait' : 'packets are lost';
  return `${event.kind} of ${lengthText(event.gapUs / 1000)} ${when}${side}, ${fate}`;
}

function linkWords({ opportunitiesMs, rateBitsPerSecond }: PathProfile): string | undefined {
  if (opportunitiesMs) {
    const bits = (opportunitiesMs.length * 12_000) / (opportunitiesMs.at(-1)! / 1000);
    return `a trace of ${formatMs(opportunitiesMs.at(-1)!)} (${rateWords(bits)} on average)`;
  }
  return rateBitsPerSecond === undefined ? undefined : rateWords(rateBitsPerSecond);
}

/** `no loss`, `1 % lost`, or bursts in words. */
export function lossWords(loss: Loss): string {
  if (loss.model === 'none') return 'no loss';
  if (loss.model === 'iid') return `${percentText(loss.share)} lost`;
  const { lossBad, lossGood } = loss;
  const else_ = lossGood > 0 ? `, else ${percentText(lossGood)}` : '';
  if (loss.clock === 'time')
    return `fades of ${lengthText(loss.badUs / 1000)} about each ${lengthText(loss.goodUs / 1000)} lose ${percentText(lossBad)}${else_}`;
  return `${burstWords(loss)} (gemodel ${[loss.p, loss.r, lossBad, lossGood].map(percentText).join(' ')})`;
}

/** A chain that never enters its bad state, or never leaves it, has no bursts. */
function burstWords({ p, r, lossBad, lossGood }: PacketChain): string {
  if (p === 0) return lossGood > 0 ? `${percentText(lossGood)} lost` : 'no loss';
  if (r === 0) return `${percentText(lossBad)} lost for ever after ${(1 / p).toFixed(1)} packets`;
  const share = (p * lossBad + r * lossGood) / (p + r);
  return `${percentText(share)} lost in bursts of ${(1 / r).toFixed(1)} packets`;
}

type PacketChain = Extract<Loss, { clock: 'packet' }>;

function scheduleWords(when: Schedule): string {
  if ('atUs' in when) return `at ${lengthText(when.atUs / 1000)}`;
  const spread = when.spreadUs > 0 ? ` ± ${lengthText(when.spreadUs / 1000)}` : '';
  return `each ${lengthText(when.everyUs / 1000)}${spread}`;
}

/** `5 Mbit/s`, `512 kbit/s`. */
export function rateWords(bits: number | undefined): string {
  if (bits === undefined) return 'any';
  const [value, unit] = bits >= 1e6 ? [bits / 1e6, 'Mbit/s'] : [bits / 1000, 'kbit/s'];
  return `${Number(value.toPrecision(4))} ${unit}`;
}
