import { didYouMean } from '../../suggest.ts';
import type { NetworkProfile } from '../profile/profile.ts';
import { apple } from './apple.ts';
import { atc } from './atc.ts';
import { alias, idealNetwork } from './build.ts';
import { lighthouse } from './lighthouse.ts';
import { loadero } from './loadero.ts';
import { own } from './own.ts';
import { webPageTest } from './webpagetest.ts';

const ofTools = [...webPageTest, ...apple, ...atc, ...lighthouse, ...loadero];

/** The plain names, most wanted first, and whose figures they stand for. */
const aliases = [
  ['WiFi', 'nlc-wifi'],
  ['LTE', 'wpt-lte'],
  ['4G', 'wpt-4g'],
  ['3G', 'wpt-3g'],
  ['3GFast', 'wpt-3gfast'],
  ['3GSlow', 'wpt-3gslow'],
  ['2G', 'wpt-2g'],
  ['Edge', 'wpt-edge'],
  ['VeryBad', 'nlc-very-bad'],
] as const;

/** Every network that needs no file, in the order in which they are listed. */
export const namedNetworks: readonly NetworkProfile[] = [
  idealNetwork,
  ...own,
  ...aliases.map(([name, of]) => alias(name, ofTools.find((profile) => profile.name === of)!)),
  ...ofTools,
];

export const networkNames: readonly string[] = namedNetworks.map(({ name }) => name);

/** The network of that name, without regard to case, or undefined. */
export function namedNetwork(name: string): NetworkProfile | undefined {
  const wanted = name.toLowerCase();
  return namedNetworks.find((profile) => profile.name.toLowerCase() === wanted);
}

/**
 * The sentence for a name that is neither built in nor one of `own`; variants by tool are listed by
 * their tool.
 */
export function unknownNetwork(name: string, own: readonly string[] = []): string {
  const plain = networkNames.filter((each) => !ofTools.some((profile) => profile.name === each));
  const tools = new Set(ofTools.map((profile) => `${profile.name.split('-')[0]}-...`));
  const known = [...own, ...plain, ...tools].join(', ');
  return `no network is called "${name}"${didYouMean(name, [...own, ...networkNames])}; allowed: ${known}`;
}
