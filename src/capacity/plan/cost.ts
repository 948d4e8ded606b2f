/** What a minute of audio costs where, and what is paid for nothing. Dollars. */
export type Supply = {
  selfHosted?: SelfHosted | undefined;
  managed?: { pricePerMinute: number; maxConcurrent?: number | undefined } | undefined;
};

export type SelfHosted = {
  pricePerHour: number;
  /** On top of the price: storage, traffic, people. .3 for 30 %. */
  overhead: number;
  /** Share of the audio that goes there; the rest is managed. */
  share: number;
  /** Audio minutes that one paid hour could serve when full. */
  fullMinutesPerHour: number;
  /** How full it is on average. */
  utilisation: number;
};

export type Cost = {
  managedPerMinute: number | undefined;
  selfHostedPerMinute: number | undefined;
  /** share x self-hosted + (1 - share) x managed; the one that exists when only one does. */
  blendedPerMinute: number | undefined;
};

/**
 * Dollars an audio minute. $2.00/h over 6,000 minutes with 30 % overhead: $.00043; $1.20/h, 48
 * streams, 60 % full: $1.20 / (60 x 48 x .6) = $.000694; 70 % of $.00043 and 30 % of $.02: $.0063.
 */
export function costOf({ selfHosted, managed }: Supply): Cost {
  const managedPerMinute = managed?.pricePerMinute;
  const selfHostedPerMinute = selfHosted && selfHostedCost(selfHosted);
  return { managedPerMinute, selfHostedPerMinute, blendedPerMinute: blend(selfHostedPerMinute, managedPerMinute) };

  function blend(own: number | undefined, bought: number | undefined): number | undefined {
    if (own === undefined || bought === undefined) return own ?? bought;
    return selfHosted!.share * own + (1 - selfHosted!.share) * bought;
  }
}

/**
 * The utilisation at which self-hosting costs what managed does: $1.20/h and 48 streams against
 * $.015: 2.78 %. Undefined when managed costs nothing: own pods never get as cheap.
 */
export function breakEvenUtilisation(selfHosted: SelfHosted, managedPerMinute: number): number | undefined {
  if (managedPerMinute === 0) return undefined;
  const full = selfHosted.pricePerHour * (1 + selfHosted.overhead);
  return full / (selfHosted.fullMinutesPerHour * managedPerMinute);
}

/** A fleet's hour, split into what served and what idled. */
export type FleetHour = { perHour: number; servedPerHour: number; idlePerHour: number; perServedMinute: number };

/** `pods` paid for, of which `busyShare` served `minutesPerHour` of audio. */
export function fleetHour(selfHosted: SelfHosted, pods: number, busyShare: number, minutesPerHour: number): FleetHour {
  const perHour = pods * selfHosted.pricePerHour * (1 + selfHosted.overhead);
  const servedPerHour = perHour * Math.min(1, busyShare);
  return { perHour, servedPerHour, idlePerHour: perHour - servedPerHour, perServedMinute: perHour / minutesPerHour };
}

function selfHostedCost({ pricePerHour, overhead, fullMinutesPerHour, utilisation }: SelfHosted): number {
  return (pricePerHour * (1 + overhead)) / (fullMinutesPerHour * utilisation);
}
