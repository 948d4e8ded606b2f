import type { Command } from 'commander';
import { readToken } from '../../../client/token.ts';
import { readText } from '../../../config/read-chunks.ts';
import { SpeechfbError } from '../../../errors.ts';
import { flag as named } from '../../../flag.ts';
import { parseFlagAddress } from '../../../flags/source/flag-address.ts';
import { readFlagFile } from '../../../flags/source/flag-file.ts';
import { parseDurationMs } from '../../../units.ts';
import { shippedOr } from '../../shipped.ts';
import type { PolicySource } from './policy-source.ts';

export type RoutingFlags = {
  routing?: string;
  flags?: string;
  flag?: string;
  flagsTokenFile?: string;
  flagsEvery?: number;
  usageLog?: string;
  shadowLog?: string;
};

/** What the flags say, as plain data: the file was read, so that each gateway has the same. */
export type RoutingSettings = {
  policy: { path: string; text: string } | { url: string; tokenFile: string | undefined; everyMs: number };
  /** The name of the flag that is the policy. */
  flag: string;
  usageLog: string | undefined;
  shadowLog: string | undefined;
};

/** What says which backend writes each transcript, and where it is written down who used what. */
export function addRoutingOptions(command: Command): void {
  command
    .option(
      '--routing <file>',
      'which backend writes each transcript: a routing policy (YAML), a file of flagd, or default; read anew when it changes',
    )
    .option('--flags <url>', 'the same from a server of flags that speaks OFREP, as ofrep+https://host/')
    .option('--flag <name>', 'the flag that is the policy, in a file of flagd or at --flags; default routing')
    .option('--flags-token-file <file>', 'with --flags: the token, the last word of its first line')
    .option('--flags-every <duration>', 'with --flags: how often it is asked, 1s to 10m; default 5s', parseFlagsEvery)
    .option('--usage-log <file>', 'with a policy: a line of JSON there for the audio of each session')
    .option('--shadow-log <file>', 'with a policy: numbers of what a canary or a shadow wrote, for shadow report');
}

/** @throws SpeechfbError `bad_flag` where a node is given what only gateways use */
export function checkRoutingRole(flags: RoutingFlags & { role: string }): void {
  const stray = flags.role === 'inference' ? givenFlag(flags) : undefined;
  if (stray === undefined) return;
  const hint = 'a node has no sessions: give it to the gateways';
  throw new SpeechfbError('bad_flag', `${stray} is not for --role inference`, { hint });
}

/**
 * @throws SpeechfbError `bad_flag`, `unreadable_file`, `bad_url`, `unset_variable`,
 *   `bad_token_file`
 */
export function routingSettingsOf(flags: RoutingFlags): RoutingSettings | undefined {
  const { routing, flags: url, flag = 'routing', flagsTokenFile: tokenFile, flagsEvery, usageLog, shadowLog } = flags;
  if (routing !== undefined && url !== undefined)
    throw new SpeechfbError('bad_flag', '--routing and --flags do not go together: one policy is in force at a time');
  if (tokenFile !== undefined && url === undefined)
    throw new SpeechfbError('bad_flag', '--flags-token-file needs --flags URL, whose token it holds');
  if (flagsEvery !== undefined && url === undefined)
    throw new SpeechfbError('bad_flag', '--flags-every needs --flags URL, which is asked so often');
  const logs = { flag, usageLog, shadowLog };
  if (url !== undefined) {
    const settings = { policy: { url, tokenFile, everyMs: flagsEvery ?? defaultEveryMs }, ...logs };
    sourceOf(settings);
    return settings;
  }
  if (routing !== undefined) {
    const path = shippedOr('routing policy', routing);
    const text = readText(path, 'policy');
    readFlagFile(path, text, flag);
    return { policy: { path, text }, ...logs };
  }
  const stray = givenFlag(flags);
  if (stray === undefined) return undefined;
  throw new SpeechfbError('bad_flag', `${stray} needs --routing FILE or --flags URL, which give the policy`);
}

/** @throws SpeechfbError `bad_url`, `unset_variable`, `bad_token_file`, `unreadable_file` */
export function sourceOf({ policy, flag }: RoutingSettings): PolicySource {
  if ('path' in policy) return { kind: 'file', file: policy.path, text: policy.text, flag, origin: policy.path };
  const token = policy.tokenFile === undefined ? undefined : readToken(policy.tokenFile);
  const address = parseFlagAddress(policy.url, token);
  return { kind: 'ofrep', address, flag, origin: address.shown, everyMs: policy.everyMs };
}

const parseFlagsEvery = named('--flags-every', (text: string): number => {
  const ms = parseDurationMs(text);
  if (ms >= 1000 && ms <= 600_000) return ms;
  throw new SpeechfbError('bad_flag', `"${text}" is not from 1s to 10m`);
});

/** Until a change takes effect; an answer that is the same is a 304 without a body. */
const defaultEveryMs = 5000;

function givenFlag(given: RoutingFlags): string | undefined {
  const { routing, flags, flag, flagsTokenFile, flagsEvery, usageLog, shadowLog } = given;
  const values = {
    '--routing': routing,
    '--flags': flags,
    '--flag': flag,
    '--flags-token-file': flagsTokenFile,
    '--flags-every': flagsEvery,
    '--usage-log': usageLog,
    '--shadow-log': shadowLog,
  };
  return Object.entries(values).find(([, value]) => value !== undefined)?.[0];
}
