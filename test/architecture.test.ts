import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { findCircle, readImports, roomArrows, subRoomArrows, type Table, tableProblems } from './kit/imports.ts';

/**
 * Which rooms each room of src/ imports: verbs above, nouns below, one way. The table is exact: an import that it does not
 * have fails, and so does a permission that nobody uses. A type is a dependency, so type imports count.
 */
const rooms: Table = {
  commands:
    'acoustic admin audio audit backends budget capacity client config deploy dialects flags handoff load metrics protocol proxy queue quic report results routing scoring server shadow sim slo stores telemetry threads trunk',
  report: 'admin audit budget capacity deploy handoff load metrics protocol proxy results routing shadow sim slo stats',
  load: 'audio capacity client clock config dialects metrics protocol proxy quic results scoring sim slo stats threads',
  results: 'config metrics slo stats',
  server: 'acoustic audio backends config handoff protocol quic routing scoring shadow stores telemetry threads',
  flags: 'audit config routing',
  proxy: 'sim stats',
  scoring: 'acoustic audio config protocol threads',
  slo: 'config metrics stats',
  acoustic: 'config threads',
  admin: 'audit server telemetry',
  backends: 'audio client clock config dialects routing stats threads',
  budget: 'config stats',
  capacity: 'config stats',
  deploy: 'capacity config slo stats stores',
  routing: 'config slo',
  client: 'audio clock config dialects protocol quic stats',
  dialects: 'audio config',
  handoff: 'acoustic protocol queue scoring stores',
  metrics: 'protocol stats',
  shadow: 'config slo stats',
  sim: 'config stats',
  stores: 'protocol telemetry',
  telemetry: 'protocol',
  audio: '',
  audit: 'config',
  clock: '',
  config: '',
  protocol: 'config',
  queue: 'telemetry',
  quic: '',
  stats: '',
  threads: '',
  trunk: 'acoustic protocol scoring telemetry threads',
};

/** The same inside the rooms; a room's own files go by the room's name. */
const subRooms: Table = {
  'acoustic/calibrate': 'acoustic/engine acoustic/model acoustic/onnx acoustic/worker',
  'acoustic/worker': 'acoustic/engine acoustic/model',
  'acoustic/engine': 'acoustic/features acoustic/model acoustic/onnx',
  'acoustic/features': 'acoustic/model',
  'acoustic/onnx': 'acoustic/model',
  budget: 'budget/decompose budget/file budget/sample budget/traces',
  backends: 'backends/measured backends/sherpa backends/sound',
  'budget/decompose': 'budget/file budget/sample',
  'budget/sample': 'budget/file budget/traces',
  'capacity/plan': 'capacity/queueing capacity/scenario capacity/simulation',
  'capacity/simulation': 'capacity/queueing capacity/scenario',
  client: 'client/link',
  'commands/admin': 'commands',
  'commands/audit': 'commands',
  'commands/budget': 'commands',
  'commands/canary': 'commands commands/slo',
  'commands/capacity': 'commands',
  'commands/compare': 'commands',
  'commands/deploy': 'commands commands/capacity',
  'commands/dlq': 'commands commands/handoff',
  'commands/examples': 'commands',
  'commands/loadtest': 'commands commands/run-output',
  'commands/merge': 'commands commands/run-output',
  'commands/netsim': 'commands',
  'commands/probe': 'commands',
  'commands/report': 'commands commands/run-output',
  'commands/run-output': 'commands',
  'commands/route': 'commands commands/capacity',
  'commands/score': 'commands',
  'commands/serve': 'commands commands/handoff commands/run-output commands/serve/flags commands/serve/routing',
  'commands/serve/routing': 'commands',
  'commands/shadow': 'commands',
  'commands/slo': 'commands',
  'commands/stream': 'commands',
  'commands/token': 'commands',
  'commands/worker': 'commands commands/handoff commands/serve commands/serve/flags',
  deploy: 'deploy/document deploy/manifests deploy/plan',
  'deploy/manifests': 'deploy/document deploy/plan',
  'deploy/plan': 'deploy/document deploy/values',
  load: 'load/generator load/scenario load/service',
  'load/fault': 'load/fault/definition load/fault/server',
  'load/fault/server': 'load/fault/definition',
  'load/generator': 'load/fault load/learner load/meter load/plan load/scenario',
  'load/learner': 'load/fault load/fault/definition load/meter load/plan load/scenario',
  'load/meter': 'load/plan',
  'load/plan': 'load/fault',
  'load/probe': 'load/meter load/scenario',
  'load/scenario': 'load/fault load/fault/definition load/plan',
  'report/admin': 'report/terminal',
  'load/service': 'load/fault load/fault/definition load/plan load/scenario',
  'report/deploy': 'report/terminal',
  'report/budget': 'report/export report/terminal',
  'report/capacity': 'report/export report/terminal',
  'report/export': 'report/load report/terminal',
  'report/handoff': 'report/terminal',
  'report/load': 'report/terminal',
  'report/network': 'report/terminal',
  'report/probe': 'report/terminal',
  'report/routing': 'report/terminal',
  'report/score': 'report/terminal',
  'report/shadow': 'report/terminal',
  'report/slo': 'report/export report/terminal',
  'flags/policy': 'flags/source',
  'routing/canary': 'routing/policy',
  'routing/decide': 'routing/policy',
  'routing/simulate': 'routing/decide routing/policy',
  'queue/kafka': 'queue',
  scoring: 'scoring/align scoring/calibrate scoring/text',
  'scoring/align': 'scoring/text',
  'scoring/calibrate': 'scoring/align',
  'scoring/threads': 'scoring scoring/align scoring/text',
  'server/admission': 'server server/session',
  'server/cluster': 'server server/admission server/gateway server/gateway/http server/gateway/outside server/tenants',
  'server/durable': 'server',
  'server/facade': 'server server/admission server/session',
  'server/gateway':
    'server server/admission server/durable server/facade server/gateway/http server/gateway/outside server/gateway/socket server/hearing server/late server/overload server/session server/tenants',
  'server/gateway/outside': 'server server/admission server/gateway/http server/hearing server/session',
  'server/gateway/socket': 'server/session',
  'server/gateway/http': 'server server/admission server/facade server/late',
  'server/late': 'server server/admission',
  'server/overload': 'server',
  'server/comparing': 'server server/hearing',
  'server/hearing': 'server',
  'server/session': 'server server/durable server/hearing server/overload',
  'server/tenants': 'server server/admission',
  sim: 'sim/impairments sim/path sim/profile sim/transport sim/transport/quic sim/transport/tcp',
  'sim/impairments': 'sim/profile',
  'sim/networks': 'sim/profile',
  'sim/path': 'sim/impairments sim/profile',
  'sim/transport': 'sim/profile',
  'sim/transport/quic': 'sim/path sim/profile sim/transport',
  'sim/transport/tcp': 'sim/path sim/profile sim/transport',
  'slo/canary': 'slo/service-level',
  'slo/service-level': 'slo/objective',
  'stores/redis': 'stores',
  telemetry: 'telemetry/tracing',
  'trunk/gateway': 'trunk/wire trunk/wire/speechfb/v1',
  'trunk/node': 'trunk/wire trunk/wire/speechfb/v1',
  'trunk/wire': 'trunk/wire/speechfb/v1',
};

/** Files in the root of src/ that every room may use; the others belong to the program itself. */
const ground = [
  'backoff.ts',
  'errors.ts',
  'file-trouble.ts',
  'units.ts',
  'usable-cores.ts',
  'cut-words.ts',
  'format.ts',
  'suggest.ts',
  'flag.ts',
  'listen.ts',
  'redact.ts',
  'plain-text.ts',
  'json-text.ts',
  'secret-url.ts',
  'wasm-module.ts',
];

/** The rooms that know no terminal, no argument parser and no process. */
const nouns = Object.keys(rooms).filter((room) => !['commands', 'report', 'server', 'telemetry'].includes(room));
const verbOnlyPackages = ['commander', 'ink', 'react', 'process', 'node:process'];
/** The rooms that take values and give values. */
const pureRooms = ['slo', 'sim', 'budget', 'capacity', 'deploy', 'routing', 'metrics', 'stats', 'protocol', 'clock'];
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
const imports = readImports(src);
const files = [...imports.keys()];
/** What people read; buf writes the rest, and a test of its own compares it. */
const written = files.filter((file) => !file.endsWith('_pb.ts'));
const textOf = (file: string) => readFileSync(join(src, file), 'utf8');
const roomOf = (file: string) => (file.includes('/') ? file.split('/')[0] : undefined);

describe('imports run one way', () => {
  it('has a table of every room', () => {
    const found = new Set(files.map(roomOf).filter((room) => room !== undefined));
    expect([...found].sort()).toEqual(Object.keys(rooms).sort());
  });

  it('keeps the table of rooms exactly', () => {
    expect(tableProblems(roomArrows(imports), rooms)).toEqual([]);
  });

  it('keeps the table of the folders inside rooms exactly', () => {
    expect(tableProblems(subRoomArrows(imports), subRooms)).toEqual([]);
  });

  it.each([
    ...arrowsOf(rooms).map((arrow) => ({ ...arrow, table: rooms, found: roomArrows(imports) })),
    ...arrowsOf(subRooms).map((arrow) => ({ ...arrow, table: subRooms, found: subRoomArrows(imports) })),
  ])('fails when $from -> $to is turned', ({ from, to, table, found }) => {
    const turned: Table = {
      ...table,
      [from]: without(table[from]!, to),
      [to]: `${table[to] ?? ''} ${from}`.trim(),
    };
    expect(tableProblems(found, turned)).toEqual(
      expect.arrayContaining([
        expect.stringMatching(new RegExp(`^${from} may not import ${to}, as `)),
        `${to} is permitted to import ${from}, and nothing in it does`,
      ]),
    );
  });

  it('has no circle of files, type imports included', () => {
    expect(findCircle(files, (file) => imports.get(file)?.local ?? [])).toEqual([]);
  });

  it('leaves the root of src/ to the program, but for the ground that all stand on', () => {
    const wrong = [...imports].flatMap(([file, { local }]) =>
      local
        .filter((target) => roomOf(target) === undefined && !ground.includes(target))
        .map((target) => `${file} -> ${target}`),
    );
    expect(wrong).toEqual([]);
  });

  it.each(nouns)('%s knows no terminal', (room) => {
    const wrong = files.filter(
      (file) =>
        roomOf(file) === room &&
        (imports.get(file)!.packages.some((name) => verbOnlyPackages.includes(name)) ||
          /\bprocess\.(exit|argv|stdout|stderr|stdin)\b/.test(textOf(file))),
    );
    expect(wrong).toEqual([]);
  });

  it.each(pureRooms)('%s does no I/O', (room) => {
    const wrong = files.filter(
      (file) => roomOf(file) === room && imports.get(file)!.packages.some((name) => ioModules.includes(name)),
    );
    expect(wrong).toEqual([]);
  });
});

it('lets no verb write to the terminal but through what makes foreign text plain', () => {
  const writers = files.filter((file) => /process\.(stdout|stderr)\.write|console\.\w+\(/.test(textOf(file)));
  expect(writers.sort()).toEqual(['cli.ts', 'commands/output.ts', 'commands/terminal.ts']);
});

it("lets no test leave a directory in the system's tmp: one file of the kit makes them all, and removes them", () => {
  const tests = readdirSync(import.meta.dirname, { recursive: true, encoding: 'utf8' });
  const makers = tests.filter(
    (file) =>
      /\.tsx?$/.test(file) &&
      /import \{[^}]*\bmkdtemp\w*[^}]*\} from 'node:fs/.test(readFileSync(join(import.meta.dirname, file), 'utf8')),
  );
  expect(makers).toEqual(['kit/temporary-directory.ts']);
});

describe('what one look takes in', () => {
  it('keeps at most 24 source files in a folder', () => {
    const counts = new Map<string, number>();
    for (const file of written) counts.set(dirname(file), (counts.get(dirname(file)) ?? 0) + 1);
    expect([...counts].filter(([, count]) => count > 24)).toEqual([]);
  });

  it.each(Object.keys(rooms))('has a page on %s: what it owns, never does, where to begin, how to add', (room) => {
    const page = textOf(`${room}/README.md`);
    for (const part of ['Owns', 'Never', 'Begin at', 'To add']) expect(page).toContain(`**${part}:**`);
  });

  it('gives no name to two different things: each is exported by one file', () => {
    const owners = new Map<string, Set<string>>();
    for (const file of written) {
      for (const name of exportedNames(textOf(file))) owners.set(name, (owners.get(name) ?? new Set()).add(file));
    }
    expect(owners.get('checkScenario')).toEqual(new Set(['load/scenario/checks.ts']));
    expect([...owners].filter(([, where]) => where.size > 1).map(([name, where]) => [name, ...where])).toEqual([]);
  });

  it('begins no comment with a word that leaves its subject out', () => {
    const fragments = (text: string) =>
      [...text.matchAll(/\/\*\*\s+(?:\* )?(?:Of|Who|Whose|Whom|Those) .*/g)].map(([comment]) => comment);
    expect(fragments('/** Of who can wait. */\n/**\n * Those that came.\n */\n/** Offers a place. */')).toHaveLength(2);
    expect(written.flatMap((file) => fragments(textOf(file)).map((comment) => `${file}: ${comment}`))).toEqual([]);
  });

  it('keeps comments within 100 columns', () => {
    const wide = written.flatMap((file) =>
      textOf(file)
        .split('\n')
        .flatMap((line, i) => (line.length > 100 && /^\s*(?:\/\/|\/?\*)/.test(line) ? [`${file}:${i + 1}`] : [])),
    );
    expect(wide).toEqual([]);
  });

  it('keeps every source file within 400 lines', () => {
    expect(written.filter((file) => textOf(file).split('\n').length > 401)).toEqual([]);
  });
});

/** What a file declares and exports; what it passes on from another file is that file's. */
function exportedNames(text: string): string[] {
  const declaration =
    /^export (?:declare |abstract |async )*(?:function\*?|class|const|let|type|interface|enum) (\w+)/gm;
  return [...text.matchAll(declaration)].map((match) => match[1]!);
}

function arrowsOf(table: Table): { from: string; to: string }[] {
  return Object.entries(table).flatMap(([from, names]) =>
    names
      .split(' ')
      .filter((to) => to !== '')
      .map((to) => ({ from, to })),
  );
}

function without(names: string, name: string): string {
  return names
    .split(' ')
    .filter((other) => other !== name)
    .join(' ');
}
