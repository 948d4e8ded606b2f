import type { Command } from 'commander';
import { readText } from '../../../config/read-chunks.ts';
import { SpeechfbError } from '../../../errors.ts';
import { parsePolicy } from '../../route/read-policy.ts';
import { shippedOr } from '../../shipped.ts';

export type RoutingFlags = { routing?: string; usageLog?: string };

/** What the flags say, as plain data: the file was read, so that each gateway has the same. */
export type RoutingSettings = { policy: { path: string; text: string }; usageLog: string | undefined };

/** What says which backend writes each transcript, and where it is written down who used what. */
export function addRoutingOptions(command: Command): void {
  command
    .option('--routing <file>', 'which backend writes each transcript: a routing policy (YAML), or default')
    .option('--usage-log <file>', 'with --routing: a line of JSON there for the audio of each session');
}

/** @throws SpeechfbError `bad_flag` where a node is given what only gateways use */
export function checkRoutingRole({ routing, usageLog, role }: RoutingFlags & { role: string }): void {
  if (role !== 'inference' || (routing ?? usageLog) === undefined) return;
  const hint = 'a node has no sessions: give it to the gateways';
  const flag = routing === undefined ? '--usage-log' : '--routing';
  throw new SpeechfbError('bad_flag', `${flag} is not for --role inference`, { hint });
}

/** @throws SpeechfbError `bad_flag`, `unreadable_file`, `bad_config` */
export function routingSettingsOf({ routing, usageLog }: RoutingFlags): RoutingSettings | undefined {
  if (routing === undefined) {
    if (usageLog === undefined) return undefined;
    throw new SpeechfbError('bad_flag', '--usage-log needs --routing FILE, which says what a minute costs');
  }
  const path = shippedOr('routing policy', routing);
  const text = readText(path, 'policy');
  parsePolicy(path, text);
  return { policy: { path, text }, usageLog };
}
