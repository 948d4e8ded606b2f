/** `35 ms`, `3 s`. */
export function durationWords(us: number): string {
  const [value, unit] = us >= 1_000_000 ? [us / 1e6, 's'] : [us / 1000, 'ms'];
  return `${Number(value.toPrecision(4))} ${unit}`;
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

/** Thousands apart. Not by toLocaleString: loading a locale takes longer than the whole plan. */
function grouped(digits: string): string {
  const [integer, fraction] = digits.split('.');
  const apart = integer!.replace(/\B(?=(\d{3})+$)/g, ',');
  return fraction === undefined ? apart : `${apart}.${fraction}`;
}
