/** The stream of a purpose in a direction; a number of its own for each pair. */
export function streamOf(direction: 'up' | 'down' | 'both', purpose: Purpose): number {
  return directions.indexOf(direction) * 64 + purposes.indexOf(purpose);
}

type Purpose = (typeof purposes)[number];

const directions = ['up', 'down', 'both'];
/** Add at the end: a purpose's place is part of its stream. */
const purposes = [
  'loss',
  'state',
  'jitter',
  'handover',
  'outage',
  'ip-change',
  'backoff',
  'clock',
  'start',
  'added loss',
] as const;
