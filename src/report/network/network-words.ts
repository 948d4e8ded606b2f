import { durationWords } from '../../format.ts';
import type { Loss, NetworkEvent, NetworkProfile, PathProfile, Schedule } from '../../sim/profile/profile.ts';
import { formatMs } from '../../units.ts';

/** `35 ms ± 10 ms (normal), 12 Mbit/s, queue of 100 packets, 1 % lost`. */
export function pathWords(path: PathProfile): string {
  const { jitter, queuePackets } = path;
  const correlated = jitter && jitter.correlation > 0 ? `, correlated ${percent(jitter.correlation)}` : '';
  const spread = jitter ? ` ± ${durationWords(jitter.valueUs)} (${jitter.distribution}${correlated})` : '';
  const link = linkWords(path);
  const parts = [
    `${durationWords(path.delayUs)}${spread}`,
    link ?? 'any rate',
    ...(link ? [`queue of ${queuePackets} packets`] : []),
    lossWords(path.loss),
    ...(path.reorder ? ['may reorder'] : []),
  ];
  return parts.join(', ');
}

/** `tcp-tls`, and what it does when that is not what everyone does. */
export function transportWords({ transport, tcp }: NetworkProfile): string {
  if (transport.startsWith('quic')) return `${transport} (modelled, not measured)`;
  return tcp.rtoMinUs === 200_000 ? transport : `${transport}, least RTO ${durationWords(tcp.rtoMinUs)}`;
}

/** `handover of 80 ms about each 45 s, packets wait`. */
export function eventWords(event: NetworkEvent): string {
  const when = scheduleWords(event.when);
  if (event.kind === 'ip-change') {
    const { first, most } = event.backoffUs;
    const old = event.oldSocket === 'silent' ? 'falls silent' : 'is reset';
    return `another address ${when}: the old socket ${old}, a new one within ${durationWords(first)} to ${durationWords(most)}`;
  }
  const side = event.kind === 'outage' && event.direction !== undefined ? `, ${event.direction} only` : '';
  const fate = event.mode === 'buffer' ? 'packets wait' : 'packets are lost';
  return `${event.kind} of ${durationWords(event.gapUs)} ${when}${side}, ${fate}`;
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
  if (loss.model === 'iid') return `${percent(loss.share)} lost`;
  const { lossBad, lossGood } = loss;
  const else_ = lossGood > 0 ? `, else ${percent(lossGood)}` : '';
  if (loss.clock === 'time')
    return `fades of ${durationWords(loss.badUs)} about each ${durationWords(loss.goodUs)} lose ${percent(lossBad)}${else_}`;
  const share = (loss.p * lossBad + loss.r * lossGood) / (loss.p + loss.r);
  return `${percent(share)} lost in bursts of ${(1 / loss.r).toFixed(1)} packets (gemodel ${[loss.p, loss.r, lossBad, lossGood].map(percent).join(' ')})`;
}

function scheduleWords(when: Schedule): string {
  if ('atUs' in when) return `at ${durationWords(when.atUs)}`;
  const spread = when.spreadUs > 0 ? ` ± ${durationWords(when.spreadUs)}` : '';
  return `each ${durationWords(when.everyUs)}${spread}`;
}

/** `5 Mbit/s`, `512 kbit/s`. */
export function rateWords(bits: number | undefined): string {
  if (bits === undefined) return 'any';
  const [value, unit] = bits >= 1e6 ? [bits / 1e6, 'Mbit/s'] : [bits / 1000, 'kbit/s'];
  return `${Number(value.toPrecision(4))} ${unit}`;
}

function percent(share: number): string {
  return `${Number((share * 100).toPrecision(3))} %`;
}
