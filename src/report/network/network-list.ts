import { durationWords } from '../../format.ts';
import type { NetworkProfile } from '../../sim/profile/profile.ts';
import { alignColumns } from '../terminal/columns.ts';
import type { Paint } from '../terminal/paint.ts';
import { lossWords, rateWords } from './network-words.ts';

/** Networks as a table: figures of each direction, and where they come from. */
export function renderNetworks(networks: readonly NetworkProfile[], paint: Paint): string {
  const heads = ['network', 'delay up', 'down', 'rate up', 'down', 'loss', 'source'];
  const rows = networks.map(({ name, source, up, down }) => [
    paint.bold(name),
    durationWords(up.delayUs),
    durationWords(down.delayUs),
    rateWords(up.rateBitsPerSecond),
    rateWords(down.rateBitsPerSecond),
    up.loss.model === 'gilbert-elliott' ? 'in bursts' : lossWords(up.loss).replace(' lost', '').replace('no loss', '-'),
    paint.dim(source),
  ]);
  return `${alignColumns([heads.map(paint.dim), ...rows], '<>>>>><').join('\n')}\n`;
}
