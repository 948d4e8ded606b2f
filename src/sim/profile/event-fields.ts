import { z } from 'zod';
import { oneOf, section, shown, text, throughUnit } from '../../config/fields.ts';
import { parseBackoff, scheduleKeys, scheduleOf, timeUs } from './network-fields.ts';
import type { NetworkEvent } from './profile.ts';

const gapKeys = { ...scheduleKeys, gap: timeUs(0, 600_000), mode: oneOf(['buffer', 'drop']).default('drop') };

const handover = section({ ...gapKeys, mode: oneOf(['buffer', 'drop']).default('buffer') });
const outage = section({ ...gapKeys, direction: oneOf(['up', 'down']).optional() });
const ipChange = section({
  ...scheduleKeys,
  oldSocket: oneOf(['silent', 'rst']).default('silent'),
  reconnect: section({
    backoff: text('a backoff such as 500ms..8s').transform(throughUnit(parseBackoff)).prefault('500ms..8s'),
    /** A uniform share of the backoff, so that devices do not come back together. */
    jitter: oneOf(['full']).default('full'),
  }).prefault({}),
});

/** One entry of `events`, such as `{handover: {every: 45s±15s, gap: 80ms, mode: buffer}}`. */
export const networkEvent = section({
  handover: handover.optional(),
  outage: outage.optional(),
  ipChange: ipChange.optional(),
}).transform((given, context): NetworkEvent => {
  const written = Object.entries(given).filter(([, value]) => value !== undefined);
  if (written.length !== 1) {
    context.addIssue({
      code: 'custom',
      message: `${shown(given)} needs exactly one of handover, outage, ipChange; further ones are entries of their own`,
    });
    return z.NEVER;
  }
  const [[kind, keys]] = written as [[string, NonNullable<(typeof given)[keyof typeof given]>]];
  const when = scheduleOf(keys);
  if (!when) {
    context.addIssue({ code: 'custom', path: [kind], message: 'needs exactly one of at, every' });
    return z.NEVER;
  }
  if (given.ipChange) {
    const { oldSocket, reconnect } = given.ipChange;
    return { kind: 'ip-change', when, oldSocket, backoffUs: reconnect.backoff };
  }
  if (given.handover) return { kind: 'handover', when, gapUs: given.handover.gap, mode: given.handover.mode };
  const { gap: gapUs, mode, direction } = given.outage!;
  return { kind: 'outage', when, gapUs, mode, ...(direction === undefined ? {} : { direction }) };
});
