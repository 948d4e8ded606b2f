/**
 * Numbers for people, in one of two styles, both with a blank between number and unit. In *tables*
 * a number always has as many digits as its neighbours: `formatMs`, `tenthsMs`, `percent`,
 * `dollars`. In *prose* trailing zeros are dropped: `durationText`, `lengthText`, `percentText`,
 * `numberText`, `count`. What stands in files and flags (`99.9%`, `20ms`) is read by units.ts.
 */

/** For tables: `87.4 ms`, `1.25 s`, `12 m 05 s`, `never`; three significant digits. */
export function formatMs(ms: number): string {
  if (!Number.isFinite(ms)) return 'never';
  if (Math.abs(ms) < 999.5) return `${significant(ms)} ms`;
  if (Math.abs(ms) < 60_000) return `${significant(ms / 1000)} s`;
  const seconds = Math.round(ms / 1000);
  return `${Math.floor(seconds / 60)} m ${String(seconds % 60).padStart(2, '0')} s`;
}

/** For tables whose parts add up: `87.4 ms`, `1204.0 ms`, `never`. */
export function tenthsMs(ms: number): string {
  return Number.isFinite(ms) ? `${ms.toFixed(1)} ms` : 'never';
}

/** For prose: `2 d 2 h`, `8 m 38 s`, `51.8 s`, `100 ms`, `never`; two units at most. */
export function durationText(ms: number): string {
  if (!Number.isFinite(ms)) return 'never';
  if (ms < 1000) return `${Number(ms.toPrecision(3))} ms`;
  if (ms < 60_000) return `${Number((ms / 1000).toPrecision(3))} s`;
  const first = longUnits.findIndex(([, size]) => ms >= size);
  const [name, size] = longUnits[first]!;
  const [nextName, nextSize] = longUnits[first + 1]!;
  const times = Math.floor(ms / size);
  const rest = Math.round((ms - times * size) / nextSize);
  if (rest * nextSize >= size) return durationText((times + 1) * size);
  return rest === 0 ? `${times} ${name}` : `${times} ${name} ${rest} ${nextName}`;
}

/** For prose, a length as somebody has set it: `281.3 ms`, `90 s`. */
export function lengthText(ms: number): string {
  const [value, unit] = ms >= 1000 ? [ms / 1000, 's'] : [ms, 'ms'];
  return `${Number(value.toPrecision(4))} ${unit}`;
}

/** For prose: `72 %`, `1.44 %`, `0.0123 %`; four significant digits at most. */
export function percentText(share: number): string {
  const value = share * 100;
  if (value === 0) return '0 %';
  const digits = Math.max(0, Math.min(8, 3 - Math.floor(Math.log10(Math.abs(value)))));
  return `${Number(value.toFixed(digits))} %`;
}

/**
 * For prose, a count or a ratio: three significant digits below a hundred, whole thousands apart
 * above.
 */
export function numberText(value: number): string {
  if (!Number.isFinite(value)) return 'infinitely many';
  return Math.abs(value) >= 100 ? whole(value) : `${Number(value.toPrecision(3))}`;
}

/** A count for people: 128,000,000. */
export function whole(value: number): string {
  return grouped(Math.round(value).toFixed(0));
}

/** A number of things for people: 1 pod, 67 pods. */
export function count(value: number, thing: string): string {
  return `${whole(value)} ${thing}${Math.round(value) === 1 ? '' : 's'}`;
}

/** A number for people, four significant digits at most: 0.006303, 24,160. */
export function figure(value: number): string {
  return Math.abs(value) >= 1000 ? whole(Number(value.toPrecision(4))) : `${Number(value.toPrecision(4))}`;
}

/** Bytes a second for people: 170 MB/s, 21.3 kB/s. */
export function byteRate(bytesPerSecond: number): string {
  const [size, unit] = bytesPerSecond >= 1e6 ? ([1e6, 'MB/s'] as const) : ([1e3, 'kB/s'] as const);
  return `${Number((bytesPerSecond / size).toPrecision(3))} ${unit}`;
}

/** A share for people: 28 %, 1.3 %, 0.05 %. */
export function percent(share: number): string {
  const value = share * 100;
  return `${Math.abs(value) >= 10 || value === 0 ? value.toFixed(0) : Number(value.toPrecision(2))} %`;
}

/** Dollars for people, three significant digits and at least cents: $0.000433, $176.00. */
export function dollars(value: number): string {
  if (value === 0) return '$0';
  const digits = Math.max(2, 2 - Math.floor(Math.log10(Math.abs(value))));
  return `$${grouped(value.toFixed(Math.min(digits, 12)))}`;
}

/** Thousands apart. Not by toLocaleString: loading a locale takes longer than a whole report. */
function grouped(digits: string): string {
  const [integer, fraction] = digits.split('.');
  const apart = integer!.replace(/\B(?=(\d{3})+$)/g, ',');
  return fraction === undefined ? apart : `${apart}.${fraction}`;
}

function significant(value: number): string {
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return value.toFixed(digits);
}

const longUnits = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1000],
] as const;
