import { parseDocuments } from '../../config/documents.ts';
import { readText } from '../../config/read-chunks.ts';
import { SpeechfbError } from '../../errors.ts';
import { type ServiceLevel, serviceLevelFile, serviceLevelOf } from '../../slo/service-level/service-level.ts';
import { readOpenSlo } from './read-openslo.ts';

/** The service level of a file, ours or OpenSLO v1; `name` chooses one of several. */
export function readServiceLevel(file: string, name: string | undefined): ServiceLevel {
  const source = readText(file, 'service level');
  const levels = /^\s*apiVersion:\s*["']?openslo\//m.test(source)
    ? readOpenSlo(file, source).map(serviceLevelOf)
    : parseDocuments(file, source, 'ServiceLevel', serviceLevelFile).map(({ value }) => serviceLevelOf(value));
  const chosen = name === undefined ? levels : levels.filter((level) => level.name === name);
  if (chosen.length === 1) return chosen[0]!;
  const names = levels.map((level) => level.name).join(', ');
  const message = name === undefined ? `${file} has ${levels.length} service levels` : `${file} has no "${name}"`;
  throw new SpeechfbError('bad_flag', `${message}: ${names}`, { hint: 'choose one with --name' });
}
