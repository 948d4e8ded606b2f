import { costOf, type SelfHosted, type Supply } from './cost.ts';

/**
 * How the blended cost of an audio minute answers one input that is off by the swing, down and up.
 * Dollars a minute.
 */
export type TornadoBar = { input: string; low: number; high: number; at_low: number; at_high: number; swing: number };

/**
 * Bars of the blended cost, the widest first, when each input alone is `swing` lower or higher (.2
 * for 20 %).
 */
export function tornado(supply: Supply, swing: number): TornadoBar[] {
  const own = inputsOfSelfHosted.map(({ input, key, atMost }) => {
    const value = supply.selfHosted?.[key] ?? Number.NaN;
    return bar(input, value, atMost, (changed) => ({
      ...supply,
      selfHosted: { ...supply.selfHosted!, [key]: changed },
    }));
  });
  const bought = bar('managed price a minute', supply.managed?.pricePerMinute ?? Number.NaN, undefined, (changed) => ({
    ...supply,
    managed: { pricePerMinute: changed },
  }));
  return [...own, bought].filter(({ swing }) => swing > 0).sort((a, b) => b.swing - a.swing);

  function bar(
    input: string,
    value: number,
    atMost: number | undefined,
    change: (value: number) => Supply,
  ): TornadoBar {
    const low = value * (1 - swing);
    const high = Math.min(value * (1 + swing), atMost ?? Number.POSITIVE_INFINITY);
    const cost = (at: number) =>
      Number.isNaN(value) ? Number.NaN : (costOf(change(at)).blendedPerMinute ?? Number.NaN);
    const [at_low, at_high] = [cost(low), cost(high)];
    return { input, low, high, at_low, at_high, swing: Math.abs(at_high - at_low) };
  }
}

const inputsOfSelfHosted: readonly { input: string; key: keyof SelfHosted; atMost?: number }[] = [
  { input: 'self-hosted price an hour', key: 'pricePerHour' },
  { input: 'self-hosted overhead', key: 'overhead' },
  { input: 'self-hosted share', key: 'share', atMost: 1 },
  { input: 'audio minutes a full hour', key: 'fullMinutesPerHour' },
  { input: 'utilisation', key: 'utilisation', atMost: 1 },
];
