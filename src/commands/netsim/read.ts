import { existsSync } from 'node:fs';
import type { z } from 'zod';
import { flattenIssues } from '../../config/yaml.ts';
import { type Problem, SpeechfbError } from '../../errors.ts';
import { ownName } from '../../sim/networks/extends.ts';
import { namedNetwork, unknownNetwork } from '../../sim/networks/index.ts';
import { applySpec } from '../../sim/networks/resolve.ts';
import { network } from '../../sim/networks/schema.ts';
import type { NetworkProfile } from '../../sim/profile/profile.ts';
import { shippedFiles, shippedOr } from '../shipped.ts';
import { type NetsimFlags, type PathFlag, pathFlags } from './flags.ts';
import { readNetworksFile, traceReader } from './read-file.ts';

/** The network that the argument names, with what the flags say otherwise. */
export function readNetwork(profile: string | undefined, flags: NetsimFlags): NetworkProfile {
  if (profile === undefined && !describes(flags))
    throw new SpeechfbError(
      'bad_usage',
      'which network? Name one, such as LTE, a file, or figures such as --delay 40ms',
      {
        hint: 'speechfb netsim --list shows every name',
      },
    );
  const base = baseOf(profile, flags.network);
  const written = {
    ...(flags.transport === undefined ? {} : { transport: flags.transport }),
    up: pathOf(flags, 'up'),
    down: pathOf(flags, 'down'),
  };
  const checked = network.safeParse(written);
  if (!checked.success) throw flagProblems(flags, checked.error.issues);
  const changed = applySpec(base, checked.data, traceReader('.'));
  const asGiven = Object.keys(written.up).length + Object.keys(written.down).length === 0;
  if (asGiven) return { ...changed, source: base.source };
  return profile === undefined ? { ...changed, name: 'custom', source: 'figures from flags' } : changed;
}

function describes(flags: NetsimFlags): boolean {
  const given = (side: 'up' | 'down' | '') => pathFlags.some((name) => flags[flagOf(side, name)] !== undefined);
  return given('') || given('up') || given('down') || flags.transport !== undefined;
}

function baseOf(profile: string | undefined, name: string | undefined): NetworkProfile {
  const file = fileOf(profile);
  if (file === undefined) {
    if (name !== undefined) throw new SpeechfbError('bad_flag', '--network chooses from a file; name the file too');
    const found = namedNetwork(profile ?? 'ideal');
    if (found) return found;
    throw new SpeechfbError('unknown_network', unknownNetwork(profile ?? ''), {
      hint: 'speechfb netsim --list shows them all; a file is named with its ending or a slash, such as ./train.yaml',
    });
  }
  const networks = readNetworksFile(file);
  const names = [...networks.keys()];
  const chosen = name === undefined ? names[0] : ownName(Object.fromEntries(networks), name);
  if (chosen !== undefined) return networks.get(chosen)!;
  throw new SpeechfbError('unknown_network', unknownNetwork(name!, names), {
    hint: `${profile} has ${names.join(', ')}`,
  });
}

/**
 * The file that the argument names: one that is there or looks like a path, or one that ships and
 * has no network's name.
 */
function fileOf(profile: string | undefined): string | undefined {
  if (profile === undefined) return undefined;
  if (/[./\\]ya?ml$|[/\\]/.test(profile) || existsSync(profile)) return shippedOr('networks file', profile);
  if (namedNetwork(profile)) return undefined;
  const ships = shippedFiles(['networks file']).some((file) => file.name === profile);
  return ships ? shippedOr('networks file', profile) : undefined;
}

/**
 * The keys of one direction as YAML would have them; a flag of the direction comes before one of
 * both.
 */
function pathOf(flags: NetsimFlags, side: 'up' | 'down'): Record<string, unknown> {
  const path: Record<string, unknown> = {};
  for (const name of ['delay', 'jitter', 'rate'] as const) {
    const given = flags[flagOf(side, name)] ?? flags[name];
    if (given !== undefined) path[name] = given;
  }
  const loss = lossOf(flags, side) ?? lossOf(flags, '');
  if (loss !== undefined) path.loss = loss;
  const queue = flags[flagOf(side, 'queue')] ?? flags.queue;
  if (queue !== undefined) path.queue = /^\d+$/.test(queue) ? Number(queue) : queue;
  const trace = flags[flagOf(side, 'trace')] ?? flags.trace;
  if (trace !== undefined) path.trace = { format: 'mahimahi', file: trace };
  if (flags[side === 'up' ? 'upReorder' : 'downReorder'] ?? flags.reorder) path.reorder = true;
  return path;
}

function lossOf(flags: NetsimFlags, side: 'up' | 'down' | ''): string | undefined {
  const loss = flags[flagOf(side, 'loss')];
  const gemodel = flags[flagOf(side, 'gemodel')];
  if (loss !== undefined && gemodel !== undefined)
    throw new SpeechfbError('bad_flag', '--loss and --gemodel say two things of one loss; allowed: one of them');
  return gemodel === undefined ? loss : `gemodel ${gemodel}`;
}

/** Every flag that is wrong, once, by its name. */
function flagProblems(flags: NetsimFlags, issues: readonly z.core.$ZodIssue[]): SpeechfbError {
  const problems = new Map<string, Problem>();
  for (const { path, message } of flattenIssues(issues)) {
    const [side, key] = path.map(String) as ['up' | 'down' | 'transport', PathFlag | undefined];
    const where = key === undefined || side === 'transport' ? `--${side}` : nameOf(flags, side, key);
    problems.set(where, { where, message });
  }
  const all = [...problems.values()];
  if (all.length === 1) return new SpeechfbError('bad_flag', `${all[0]!.where}: ${all[0]!.message}`);
  return new SpeechfbError('bad_flag', `${all.length} flags are not understood`, { problems: all });
}

function nameOf(flags: NetsimFlags, side: 'up' | 'down', key: PathFlag): string {
  const names: readonly PathFlag[] = key === 'loss' ? ['loss', 'gemodel'] : [key];
  const own = names.find((name) => flags[flagOf(side, name)] !== undefined);
  return own ? `--${side}-${own}` : `--${names.find((name) => flags[name] !== undefined) ?? key}`;
}

function flagOf(side: 'up' | 'down' | '', name: PathFlag) {
  if (side === '') return name;
  const capital = `${name[0]!.toUpperCase()}${name.slice(1)}` as Capitalize<PathFlag>;
  return `${side}${capital}` as const;
}
