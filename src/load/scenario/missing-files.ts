import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import type { z } from 'zod';
import { isProtocolFile } from '../../dialects/catalogue.ts';

/** A scenario of which anything may have other problems. */
type LooseScenario = {
  spec?: {
    learners?: { clips?: unknown };
    target?: {
      tokenFile?: unknown;
      protocol?: unknown;
      tls?: { ca?: unknown } | undefined;
      embedded?: { model?: unknown; routing?: unknown } | undefined;
    };
    cost?: { capacity?: unknown } | undefined;
  };
};

/**
 * Files that a scenario in `directory` names and that are not there: told with its other problems,
 * not after them.
 */
export function missingFiles(directory: string): (scenario: LooseScenario, context: z.RefinementCtx) => void {
  return ({ spec }, context) => {
    const named: [path: PropertyKey[], file: unknown][] = [
      ...manifestsOf(spec?.learners?.clips),
      [['target', 'tokenFile'], spec?.target?.tokenFile],
      [['target', 'protocol'], protocolFile(spec?.target?.protocol)],
      [['target', 'tls', 'ca'], spec?.target?.tls?.ca],
      [['target', 'embedded', 'model'], spec?.target?.embedded?.model],
      [['target', 'embedded', 'routing'], spec?.target?.embedded?.routing],
      [['cost', 'capacity'], spec?.cost?.capacity],
    ];
    for (const [path, file] of named) {
      if (typeof file !== 'string' || existsSync(resolve(directory, file))) continue;
      context.addIssue({ code: 'custom', path: ['spec', ...path], message: `"${file}" is not there` });
    }
  };
}

/** A protocol that is named is no file. */
function protocolFile(protocol: unknown): unknown {
  return typeof protocol === 'string' && isProtocolFile(protocol) ? protocol : undefined;
}

function manifestsOf(clips: unknown): [PropertyKey[], unknown][] {
  if (!Array.isArray(clips)) return [];
  // One manifest and nothing more is written as a plain path, as a rule.
  const [only, ...rest] = clips;
  if (rest.length === 0 && Object.keys(only ?? {}).length === 1) return [[['learners', 'clips'], only.manifest]];
  return clips.map((entry, index) => [['learners', 'clips', index, 'manifest'], entry?.manifest]);
}
