import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

/**
 * Which rooms each room of src/ may import: verbs above, nouns below, one way. A room missing here may not exist.
 * Type-only imports count too: a type is a dependency.
 */
const allowed: Record<string, readonly string[]> = {
  commands: ['*'],
  server: ['asr', 'scoring', 'acoustic', 'protocol', 'audio', 'telemetry', 'config'],
  load: [
    'sim',
    'slo',
    'capacity',
    'stats',
    'report',
    'asr',
    'scoring',
    'acoustic',
    'protocol',
    'audio',
    'config',
    'telemetry',
  ],
  proxy: ['sim'],
  report: ['budget', 'capacity', 'proxy', 'sim', 'slo', 'stats', 'scoring', 'protocol', 'config'],
  slo: ['stats', 'config'],
  budget: ['stats', 'protocol', 'config'],
  capacity: ['stats', 'config'],
  stats: [],
  sim: ['stats', 'config'],
  asr: ['scoring', 'acoustic', 'protocol', 'audio'],
  scoring: ['acoustic', 'protocol', 'audio'],
  acoustic: ['protocol', 'audio'],
  telemetry: ['protocol'],
  protocol: ['scoring'],
  audio: [],
  config: [],
};

/** What nouns never import: the terminal, the argument parser, the process. */
const nounsWithoutProcess = [
  'load',
  'proxy',
  'sim',
  'slo',
  'scoring',
  'acoustic',
  'audio',
  'protocol',
  'asr',
  'budget',
  'capacity',
  'stats',
];
const verbOnlyPackages = ['commander', 'ink', 'react', 'process', 'node:process'];
/** Values in, values out. */
const pureRooms = ['slo', 'sim', 'budget', 'capacity', 'stats'];
const ioModules = [
  'node:fs',
  'node:fs/promises',
  'node:net',
  'node:http',
  'node:child_process',
  'node:worker_threads',
  'ws',
];

const src = resolve(import.meta.dirname, '../src');
const files = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter((file) => /\.tsx?$/.test(file));
const imports = new Map(files.map((file) => [file, importsOf(file)]));

describe('imports run one way', () => {
  it.each(files.filter((file) => roomOf(file) !== undefined))('%s imports only rooms below its own', (file) => {
    const room = roomOf(file)!;
    expect(allowed, `room "${room}" has no entry in the table`).toHaveProperty(room);
    const wrong = imports.get(file)!.local.filter((target) => !mayImport(room, roomOf(target)));
    expect(wrong).toEqual([]);
  });

  it.each(files.filter((file) => nounsWithoutProcess.includes(roomOf(file) ?? '')))('%s knows no terminal', (file) => {
    expect(imports.get(file)!.packages.filter((name) => verbOnlyPackages.includes(name))).toEqual([]);
    expect(readFileSync(join(src, file), 'utf8')).not.toMatch(/\bprocess\.(exit|argv|stdout|stderr|stdin)\b/);
  });

  it.each(files.filter((file) => pureRooms.includes(roomOf(file) ?? '')))('%s does no I/O', (file) => {
    expect(imports.get(file)!.packages.filter((name) => ioModules.includes(name))).toEqual([]);
  });

  it('has no circle of value imports', () => {
    expect(findCircle()).toEqual([]);
  });

  it('keeps every source file under 300 lines', () => {
    const long = files.filter((file) => readFileSync(join(src, file), 'utf8').split('\n').length > 301);
    expect(long).toEqual([]);
  });
});

function roomOf(file: string): string | undefined {
  const [room, rest] = file.split('/');
  return rest === undefined ? undefined : room;
}

function mayImport(from: string, to: string | undefined): boolean {
  const rooms = allowed[from] ?? [];
  return to === undefined || to === from || rooms.includes('*') || rooms.includes(to);
}

function importsOf(file: string): { local: string[]; values: string[]; packages: string[] } {
  const text = readFileSync(join(src, file), 'utf8');
  const found = [...text.matchAll(/^\s*(?:import|export)\s+(type\s)?[^'";]*?from\s+'([^']+)'|import\('([^']+)'\)/gm)];
  const entries = found.map((match) => ({ type: match[1] !== undefined, name: match[2] ?? match[3]! }));
  const toFile = (name: string) => relative(src, resolve(src, dirname(file), name));
  const local = entries.filter((entry) => entry.name.startsWith('.'));
  return {
    local: local.map((entry) => toFile(entry.name)).filter((name) => !name.startsWith('..')),
    values: local.filter((entry) => !entry.type).map((entry) => toFile(entry.name)),
    packages: entries.filter((entry) => !entry.name.startsWith('.')).map((entry) => entry.name),
  };
}

/** The files of one circle of imports that exist at run time, or nothing. */
function findCircle(): string[] {
  const done = new Set<string>();
  const walk = (file: string, path: readonly string[]): string[] => {
    if (path.includes(file)) return [...path.slice(path.indexOf(file)), file];
    if (done.has(file)) return [];
    for (const next of imports.get(file)?.values ?? []) {
      const circle = walk(next, [...path, file]);
      if (circle.length > 0) return circle;
    }
    done.add(file);
    return [];
  };
  for (const file of files) {
    const circle = walk(file, []);
    if (circle.length > 0) return circle;
  }
  return [];
}
