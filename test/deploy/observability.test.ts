import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join, resolve } from 'node:path';
import { parser } from '@prometheus-io/lezer-promql';
import { afterAll, describe, expect, it, onTestFinished } from 'vitest';
import { dashboards } from '../../scripts/observability/dashboards.ts';
import type { RunningServer } from '../../src/server/gateway/server.ts';
import { shippedRules } from '../kit/alert-rules.ts';
import { businessMetrics } from '../kit/business-metrics.ts';
import { freePort } from '../kit/free-port.ts';
import { connect, startMessage } from '../kit/server/client.ts';
import { serve } from '../kit/server/serve.ts';
import { temporaryDirectory } from '../kit/temporary-directory.ts';

const folder = resolve('deploy/observability');
const lack = ['prometheus', 'promtool', 'amtool'].filter((tool) => spawnSync(tool, ['--version']).status !== 0);
if (lack.length > 0) console.warn(`SKIPPED: deploy/observability was not run: there is no ${lack.join(', ')}`);

it('Prometheus and Alertmanager are there on CI', () => {
  if (process.env.CI) expect(lack).toEqual([]);
});

const rules = shippedRules();

type Target = { expr: string };
const panels = Object.entries(dashboards()).flatMap(([file, { panels: all }]) =>
  (all ?? []).flatMap((panel) =>
    'targets' in panel
      ? (panel.targets as unknown as Target[]).map(({ expr }) => ({ file, title: panel.title, expr }))
      : [],
  ),
);

/** As a browser has filled it in. */
function filledIn(expr: string, interval = '5m'): string {
  return expr.replaceAll('$__rate_interval', interval).replaceAll('$instance', '.*');
}

/** Names of metrics and the labels that are asked of each; throws for what is no PromQL. */
function askedOf(expr: string): { metrics: string[]; labels: string[] } {
  const [metrics, labels] = [new Set<string>(), new Set<string>()];
  parser.parse(expr).iterate({
    enter({ type, from, to }) {
      if (type.isError) throw new Error(`no PromQL at ${from}: ${expr}`);
      if (type.name === 'VectorSelector') metrics.add(/^[\w:]+/.exec(expr.slice(from, to))?.[0] ?? '');
      if (type.name === 'LabelName') labels.add(expr.slice(from, to));
    },
  });
  return { metrics: [...metrics], labels: [...labels] };
}

/** What /metrics has: each series' name, histograms with their parts, and all names of labels. */
async function exposed(server: RunningServer): Promise<{ names: Set<string>; labels: Set<string> }> {
  const text = `${await (await fetch(metricsOf(server))).text()}${await businessMetrics(1)}`;
  const names = new Set<string>();
  for (const [, name, kind] of text.matchAll(/^# TYPE (\S+) (\S+)$/gm)) {
    const parts = kind === 'histogram' ? ['_bucket', '_sum', '_count'] : [''];
    for (const part of parts) names.add(`${name}${part}`);
  }
  return { names, labels: new Set([...text.matchAll(/[{,](\w+)="/g)].map(([, label]) => label!)) };
}

/** The same for a Prometheus to scrape; each time there is more. */
async function businessServer(): Promise<string> {
  let times = 0;
  const server = createServer(async (_, response) => {
    times += 1;
    response.setHeader('content-type', 'text/plain; version=0.0.4');
    response.end(await businessMetrics(times));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function metricsOf({ url }: RunningServer): string {
  return url.replace('ws:', 'http:').replace('/v1/stream', '/metrics');
}

describe('the dashboards', () => {
  it.each(Object.entries(dashboards()))('%s is what its script makes', (file, dashboard) => {
    const shipped: unknown = JSON.parse(readFileSync(join(folder, `dashboards/${file}.json`), 'utf8'));
    expect(shipped).toEqual(JSON.parse(JSON.stringify(dashboard)));
  });

  it('say in a sentence what each panel is for, and give it a place of its own', () => {
    for (const { panels: all } of Object.values(dashboards()))
      for (const panel of all ?? [])
        if ('description' in panel) expect(panel.description, panel.title).toMatch(/\w.*\.$/);
  });
});

describe('what dashboards, rules and runbooks ask for is there', () => {
  const recorded = new Set(rules.flatMap(({ record }) => record ?? []));
  /** Prometheus' own. */
  const own = new Set(['ALERTS', 'up']);
  /** Labels that the rules give, that Prometheus gives, and those of states that nobody is in yet. */
  const given = new Set([
    'instance',
    'job',
    'le',
    'service',
    'slo',
    'objective',
    'alertname',
    'alertstate',
    'severity',
  ]);

  it.each([
    ...panels.map(({ file, title, expr }) => ({ of: `${file}: ${title}`, expr })),
    ...rules.map(({ alert, record, expr }) => ({ of: `rule ${alert ?? record}`, expr })),
  ])('$of', async ({ expr }) => {
    const { names } = await shared();
    const { metrics } = askedOf(filledIn(expr));
    const unknown = metrics.filter((name) => name !== '' && !names.has(name) && !recorded.has(name) && !own.has(name));
    expect(unknown).toEqual([]);
  });

  it('labels too', async () => {
    const { labels } = await shared();
    const asked = new Set([...panels, ...rules].flatMap(({ expr }) => askedOf(filledIn(expr)).labels));
    // These two stand at series that begin with their first event.
    const later = new Set(['code', 'kind', 'type', 'outcome', 'stage', 'reason', 'lane', 'what', 'limit', 'why']);
    expect([...asked].filter((label) => !labels.has(label) && !given.has(label) && !later.has(label))).toEqual([]);
  });

  it.each(rules.filter(({ alert }) => alert !== undefined))('the alert $alert has its page', ({ annotations }) => {
    const page = annotations?.runbook_url ?? '';
    expect(existsSync(page), page).toBe(true);
    const text = readFileSync(page, 'utf8');
    for (const part of ['**Means.**', '**Look.**', '**Do.**']) expect(text).toContain(part);
  });

  it.each(readdirSync('docs/runbooks').filter((name) => name !== 'README.md'))(
    '%s looks at what /metrics has',
    async (page) => {
      const { names } = await shared();
      const all = [...names].join('\n');
      for (const [, pattern] of readFileSync(join('docs/runbooks', page), 'utf8').matchAll(/grep -E '([^']+)'/g))
        for (const choice of spelled(pattern!)) expect(all, choice).toMatch(new RegExp(choice, 'm'));
    },
  );
});

/** `^a_(b|c)|^d` as the three that it stands for. */
function spelled(pattern: string): string[] {
  return pattern.split(/\|(?=\^)/).flatMap((part) => {
    const [, before, choices, after] = /^(.*?)\((.*)\)(.*)$/.exec(part) ?? [];
    return choices === undefined ? [part] : choices.split('|').map((choice) => `${before}${choice}${after}`);
  });
}

let exposition: ReturnType<typeof exposed> | undefined;
/** One server for all: what it exposes does not change. */
function shared(): ReturnType<typeof exposed> {
  exposition ??= serve().then(exposed);
  return exposition;
}

const started: ChildProcess[] = [];
afterAll(() => {
  for (const child of started) child.kill('SIGKILL');
});

describe.skipIf(lack.length > 0)('the real Prometheus and Alertmanager', () => {
  it.each([
    ['promtool', 'check', 'config', 'prometheus.yml'],
    ['promtool', 'test', 'rules', 'service.test.yaml'],
    ['amtool', 'check-config', 'alertmanager.yml'],
  ])('%s %s %s', (tool, ...args) => {
    const { status, stdout, stderr } = spawnSync(tool, args, { cwd: folder, encoding: 'utf8' });
    expect(status, `${stdout}${stderr}`).toBe(0);
  });

  it('answers every query of every panel over a server that scores speech', async () => {
    const server = await serve();
    const prometheus = await scraping(server);
    const client = await connect(server.url);
    client.send(startMessage({ reference: { text: 'abab baba '.repeat(100) } }));
    await client.until('ready');
    // Prometheus looks for its targets once in five seconds.
    await expect.poll(() => valuesOf(prometheus, 'up{job="speechfb"}'), patient).toBe(1);
    client.frames(0, 19);
    await client.until('phoneme_feedback');
    let sent = 20;
    // A rate needs two scrapes of what has moved: sound goes on, as fast as one speaks, until both are there.
    const window = '20s';
    const spoken = async (): Promise<number> => {
      client.frame(sent++);
      return await valuesOf(prometheus, `sum(rate(speechfb_stage_seconds_count[${window}])) > 0`);
    };
    await expect.poll(spoken, patient).toBe(1);
    const empty: string[] = [];
    for (const { file, title, expr } of panels)
      if ((await valuesOf(prometheus, filledIn(expr, window))) === 0) empty.push(`${file}: ${title}`);
    // One process has no nodes and no store, and nothing has gone wrong in it.
    const quiet =
      /Budget left|Alerts|Bad events|Refused|taken up again|Leases|Slots used|Trunks|Sent away|Limits met|Given up|Garbage|scoring|Frames by|Busy|Errors by|store|that nodes refused|spill/;
    expect(empty.filter((one) => !quiet.test(one))).toEqual([]);
    client.send({ type: 'close', last_seq: sent - 1 });
    await client.closed;
  });
});

/** A Prometheus that scrapes the server each 500 ms, by its address. */
async function scraping(server: RunningServer): Promise<string> {
  const port = await freePort();
  const directory = temporaryDirectory();
  const { host } = new URL(metricsOf(server));
  const often = { scrape_interval: '500ms', scrape_timeout: '500ms' };
  const jobs = [
    { job_name: 'speechfb', ...often, static_configs: [{ targets: [host] }] },
    { job_name: 'business', ...often, static_configs: [{ targets: [await businessServer()] }] },
  ];
  writeFileSync(join(directory, 'prometheus.yml'), JSON.stringify({ scrape_configs: jobs }));
  const flags = [`--web.listen-address=127.0.0.1:${port}`, '--storage.tsdb.path=data', '--config.file=prometheus.yml'];
  const child = spawn('prometheus', flags, { cwd: directory, stdio: ['ignore', 'ignore', 'pipe'] });
  started.push(child);
  await new Promise<void>((ready, failed) => {
    let said = '';
    child.stderr.on('data', (chunk) => {
      said += chunk;
      if (said.includes('Server is ready')) ready();
    });
    child.once('exit', () => failed(new Error(said)));
  });
  return `http://127.0.0.1:${port}`;
}

/** How many series a query gives. */
async function valuesOf(prometheus: string, query: string): Promise<number> {
  const response = await fetch(`${prometheus}/api/v1/query?${new URLSearchParams({ query })}`);
  const answer = (await response.json()) as { status: string; error?: string; data?: { result: unknown[] } };
  expect(answer.status, `${query}: ${answer.error}`).toBe('success');
  return answer.data!.result.length;
}

const patient = { timeout: 40_000, interval: 20 };
