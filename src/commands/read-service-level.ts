import { parseDocuments } from '../config/documents.ts';
import { readText } from '../config/read-chunks.ts';
import { parseConfig } from '../config/yaml.ts';
import { SpeechfbError } from '../errors.ts';
import { fromOpenSlo, openSloFile } from '../slo/openslo.ts';
import { type ServiceLevel, type ServiceLevelFile, serviceLevelFile, serviceLevelOf } from '../slo/service-level.ts';

/** The service level of a file, ours or OpenSLO v1; `name` chooses one of several. */
export function readServiceLevel(file: string, name: string | undefined): ServiceLevel {
  const source = readText(file, 'service level');
  if (/^\s*apiVersion:\s*["']?openslo\//m.test(source)) return serviceLevelOf(importOpenSlo(file, source));
  const documents = parseDocuments(file, source, 'ServiceLevel', serviceLevelFile);
  const chosen = name === undefined ? documents : documents.filter((document) => document.name === name);
  if (chosen.length === 1) return serviceLevelOf(chosen[0]!.value);
  const names = documents.map((document) => document.name).join(', ');
  const message = name === undefined ? `${file} has ${documents.length} service levels` : `${file} has no "${name}"`;
  throw new SpeechfbError('bad_flag', `${message}: ${names}`, { hint: 'choose one with --name' });
}

function importOpenSlo(file: string, source: string): ServiceLevelFile {
  const imported = serviceLevelFile.safeParse(fromOpenSlo(parseConfig(file, source, openSloFile)));
  if (imported.success) return imported.data;
  const problems = imported.error.issues.map(({ path, message }) => ({
    where: file,
    message: `as a ServiceLevel, ${path.join('.')}: ${message}`,
  }));
  throw new SpeechfbError('bad_config', `${file} cannot be imported`, { problems });
}
