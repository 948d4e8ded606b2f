import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';

const root = resolve(import.meta.dirname, '../..');
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  name: string;
  version: string;
  bin: Record<string, string>;
  engines: { node: string };
  devDependencies: Record<string, string>;
};

type Instruction = { name: string; rest: string };

/** The instructions of a Dockerfile, stage by stage. */
function stagesOf(file: string): Instruction[][] {
  const text = readFileSync(join(root, file), 'utf8')
    .replaceAll(/^#.*\n/gm, '')
    .replaceAll(/\\\n\s*/g, '');
  const stages: Instruction[][] = [];
  for (const line of text.split('\n').filter((one) => one.trim() !== '')) {
    const [, name = '', rest = ''] = /^([A-Z]+) (.*)$/.exec(line) ?? [];
    if (name === 'FROM') stages.push([]);
    stages.at(-1)!.push({ name, rest });
  }
  return stages;
}

const known = 'FROM WORKDIR COPY RUN ENV USER EXPOSE HEALTHCHECK STOPSIGNAL ENTRYPOINT CMD'.split(' ');
const last = (stages: Instruction[][], name: string) => stages.at(-1)!.findLast((one) => one.name === name)?.rest;

describe.each(['deploy/Dockerfile', 'deploy/loadtest/Dockerfile'])('%s', (file) => {
  const stages = stagesOf(file);
  const all = stages.flat();

  it('says nothing that no builder knows, and begins each stage with one version of Node', () => {
    expect(all.filter(({ name }) => !known.includes(name))).toEqual([]);
    const bases = all.filter(({ name }) => name === 'FROM').map(({ rest }) => rest.replace(/ AS \w+$/, ''));
    expect(new Set(bases).size).toBe(1);
    const [, major] = /^node:(\d+)-[a-z]+-slim$/.exec(bases[0]!)!;
    expect(Number(major)).toBeGreaterThanOrEqual(Number(/\d+/.exec(manifest.engines.node)![0]));
  });

  it('runs the program as nobody in particular, without a shell that would keep signals to itself', () => {
    expect(['node', '1000:1000']).toContain(last(stages, 'USER'));
    const [command, program, ...others] = JSON.parse(last(stages, 'ENTRYPOINT')!) as string[];
    expect([command, others]).toEqual(['node', []]);
    expect(program).toMatch(new RegExp(`^/app/.*${manifest.bin.speechfb!.replace('./', '')}$`));
    const names = stages.at(-1)!.map(({ name }) => name);
    expect(names.indexOf('USER')).toBeGreaterThan(names.lastIndexOf('COPY'));
  });

  it('copies what is there, and what its .dockerignore lets through', () => {
    const ignore = readFileSync(join(root, `${file}.dockerignore`), 'utf8').split('\n');
    const allowed = ignore.filter((line) => line.startsWith('!')).map((line) => line.slice(1));
    const sources = all.flatMap(({ name, rest }) =>
      name === 'COPY' && !rest.startsWith('--from=') ? rest.split(' ').slice(0, -1) : [],
    );
    expect(sources.length).toBeGreaterThan(0);
    for (const source of sources) {
      expect(
        allowed.some((line) => source === line || source.startsWith(`${line}/`)),
        source,
      ).toBe(true);
      // What `npm pack` writes is there once it has run.
      const isPacked = source === `${manifest.name}-*.tgz`;
      expect(isPacked || existsSync(join(root, source)), source).toBe(true);
    }
  });

  it('takes of another stage what that stage has made', () => {
    const stage = new Map(
      stages.map((one) => [/ AS (\w+)$/.exec(one[0]!.rest)?.[1], one.find(({ name }) => name === 'WORKDIR')?.rest]),
    );
    const taken = all.filter(({ name, rest }) => name === 'COPY' && rest.startsWith('--from='));
    expect(taken.length).toBeGreaterThan(0);
    for (const { rest } of taken) {
      const [, from, path] = /^--from=(\w+) (\S+) /.exec(rest)!;
      expect(dirname(path!)).toBe(stage.get(from!));
    }
  });

  it('installs the ONNX Runtime that the program knows, and no package that its users have no use for', () => {
    const run = all.flatMap(({ name, rest }) => (name === 'RUN' ? [rest] : [])).join('\n');
    expect(/onnxruntime-node@(\S+)/.exec(run)![1]).toBe(manifest.devDependencies['onnxruntime-node']);
    expect(run).toContain('--omit=dev');
    expect(run.match(/npm (ci|install)\b[^&]*/g)!.every((one) => one.includes('--ignore-scripts'))).toBe(true);
  });
});

describe('the image that serves', () => {
  const stages = stagesOf('deploy/Dockerfile');
  const inClone = (path: string) => path.replace(`/app/node_modules/${manifest.name}`, root);
  const health = (url: string) => {
    const text = last(stages, 'HEALTHCHECK')!;
    const [command, ...args] = JSON.parse(text.slice(text.indexOf('CMD ') + 4)) as string[];
    const asked = spawn(command!, args, { env: { ...process.env, SPEECHFB_LIVE_URL: url }, stdio: 'ignore' });
    return once(asked, 'exit').then(([code]) => code as number);
  };

  it('is alive by its HEALTHCHECK while it serves, and ends by STOPSIGNAL with 0', async () => {
    const [command, ...entry] = (JSON.parse(last(stages, 'ENTRYPOINT')!) as string[]).map(inClone);
    const served = spawn(command!, [...entry, 'serve', '--port', '0', '--gateways', '1'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    onTestFinished(() => void served.kill('SIGKILL'));
    const ended = once(served, 'exit');
    let said = '';
    for await (const chunk of served.stdout) {
      said += chunk;
      if (said.includes('\n')) break;
    }
    const address = /ready at ws:\/\/([^/\s]+)/.exec(said)?.[1];
    expect(address, said).toBeDefined();
    expect(last(stages, 'ENV')).toBe('SPEECHFB_LIVE_URL=http://127.0.0.1:8090/livez');
    expect(await health(`http://${address}/livez`)).toBe(0);
    expect(await health(`http://${address}/no-such-path`)).toBe(1);
    expect(await health('http://127.0.0.1:1/livez')).toBe(1);
    served.kill(last(stages, 'STOPSIGNAL') as 'SIGTERM');
    expect((await ended)[0]).toBe(0);
  });
});
