/** One direction of the network, and both at once when no direction is named. */
export const pathFlags = ['delay', 'jitter', 'loss', 'gemodel', 'rate', 'queue', 'trace'] as const;
export type PathFlag = (typeof pathFlags)[number];

export type NetsimFlags = Partial<
  Record<PathFlag | `up${Capitalize<PathFlag>}` | `down${Capitalize<PathFlag>}`, string>
> & {
  network?: string;
  transport?: string;
  duration?: string;
  seed: string;
  clients?: string;
  traffic: 'speech' | 'echo';
  listen?: string;
  upstream?: string;
  udp?: true;
  reorder?: true;
  upReorder?: true;
  downReorder?: true;
  plot?: true;
  list?: true;
  json?: true;
};
