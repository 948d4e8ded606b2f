// Runs an image's root as an engine would: its user, its environment, its ENTRYPOINT, a root that nobody can write, and SIGTERM.
// build-image.sh calls it with the folder that the image is mounted at (ROOT) and what the image says of itself (IMAGE).
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { checks } from './spans.mjs';

const { ROOT: root, IMAGE: image } = process.env;
const { config } = JSON.parse(readFileSync(image, 'utf8')).Docker;
const environment = Object.fromEntries(config.Env.map((line) => line.split(/=(.*)/s, 2)));
const { hold, end } = checks();

// Each step becomes the next, so that a signal to the process reaches what the image runs.
const script =
  'mount --bind "$0" "$0"; mount -o remount,bind,ro "$0"; mount -t proc proc "$0/proc"; mount -t devtmpfs dev "$0/dev" 2>/dev/null || mount --rbind /dev "$0/dev"; ' +
  'user=$1 folder=$2; shift 2; exec chroot --userspec="$user" --groups= "$0" env -C "$folder" "$@"';
const inside = (command, more = {}) => [
  'unshare',
  ['--mount', 'sh', '-euc', script, root, config.User, config.WorkingDir, ...command],
  { env: { ...environment, ...more }, encoding: 'utf8', timeout: 120_000 },
];
const run = (command, more) => spawnSync(...inside(command, more));
const health = (url) => run(config.Healthcheck.Test.slice(1), { SPEECHFB_LIVE_URL: url }).status;
const freePort = async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  return port;
};

hold(
  'user, folder, end',
  `${config.User}, ${config.WorkingDir}, ${config.StopSignal}`,
  config.User === '1000:1000' && config.StopSignal === 'SIGTERM',
);
const help = run([...config.Entrypoint, ...config.Cmd]);
hold('ENTRYPOINT with CMD', help.stdout.split('\n')[0], help.status === 0 && help.stdout.includes('serve'));
const write = run(['sh', '-c', 'id -u; echo > /app/new || echo > /tmp/new']);
hold('its user can write nowhere', write.stdout.trim(), write.status !== 0 && write.stdout.trim() === '1000');

const port = await freePort();
const [command, args, options] = inside([...config.Entrypoint, 'serve', '--host', '127.0.0.1', '--port', String(port)]);
const server = spawn(command, args, { ...options, timeout: undefined, stdio: ['ignore', 'pipe', 'inherit'] });
process.on('exit', () => server.kill('SIGKILL'));
const url = `http://127.0.0.1:${port}`;
let isReady = false;
for (let tries = 0; tries < 240 && !isReady && server.exitCode === null; tries++) {
  isReady = await fetch(`${url}/readyz`).then(
    ({ ok }) => ok,
    () => false,
  );
  await wait(500);
}
hold('serves, ready', url, isReady);
hold(
  'HEALTHCHECK, of it and of nobody',
  `${health(`${url}/livez`)}, ${health('http://127.0.0.1:9/livez')}`,
  health(`${url}/livez`) === 0 && health('http://127.0.0.1:9/livez') === 1,
);
const threads = readFileSync(`/proc/${server.pid}/maps`, 'utf8');
hold(
  'native ONNX Runtime in it',
  threads.match(/\S*libonnxruntime\S*/)?.[0].replace(root, '') ?? 'none',
  threads.includes('libonnxruntime'),
);
const clip = JSON.parse(readFileSync('fixtures/audio/manifest.jsonl', 'utf8').split('\n')[0]);
const spoken = spawnSync(
  process.execPath,
  ['bin/speechfb', 'stream', `fixtures/audio/${clip.audio}`, '--text', clip.text, '--url', `ws://127.0.0.1:${port}`],
  { encoding: 'utf8', timeout: 120_000 },
);
hold(
  'hears and scores a clip',
  spoken.stdout.trim().split('\n').at(-1),
  spoken.status === 0 && spoken.stdout.includes(clip.words.at(-1).text.replace(/\W/g, '')),
);
server.kill('SIGTERM');
const [code, signal] = await Promise.race([once(server, 'exit'), wait(60_000, ['none within a minute'])]);
hold('ended by SIGTERM', code ?? signal, code === 0);
end();
