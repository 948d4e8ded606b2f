#!/bin/sh
# Runs what deploy/Dockerfile runs, in an empty folder and without an engine: packs the package, installs it by the file's own RUN,
# then starts ENTRYPOINT as a user who can write nowhere, asks by HEALTHCHECK, and ends it by SIGTERM. Run as root at the
# repository's root. What only an engine shows, the base image and its layers, is not shown.
set -eu
cd "$(dirname "$0")/../.."
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm pack --silent --pack-destination "$folder" >/dev/null
mv "$folder"/speechfb-*.tgz "$folder/speechfb.tgz"
chmod 755 "$folder"
# The lines of one instruction, joined.
instruction() {
  sed -e ':more' -e '/\\$/{N;s/\\\n//;b more' -e '}' deploy/Dockerfile | sed -n "s/^$1 //p"
}
run=$(instruction RUN)
[ -n "$run" ]
(cd "$folder" && sh -euc "$run")
du -sh "$folder/node_modules" | sed 's/\t.*/ installed/'
FOLDER=$folder ENTRYPOINT=$(instruction ENTRYPOINT) HEALTH=$(instruction HEALTHCHECK) node - <<'JS'
const { spawn, spawnSync } = require('node:child_process');
const { FOLDER, ENTRYPOINT, HEALTH } = process.env;
const [command, ...entry] = JSON.parse(ENTRYPOINT.replaceAll('/app/', `${FOLDER}/`));
const [checker, ...check] = JSON.parse(HEALTH.slice(HEALTH.indexOf('CMD ') + 4));
const nobody = { uid: 1000, gid: 1000, cwd: FOLDER };
const child = spawn(command, [...entry, 'serve', '--port', '0'], { ...nobody, stdio: ['ignore', 'pipe', 'inherit'] });
const fail = (why) => {
  console.error(`image.sh: ${why}`);
  child.kill('SIGKILL');
  process.exit(1);
};
setTimeout(() => fail('it was not ready within two minutes'), 120_000).unref();
let said = '';
child.stdout.on('data', (chunk) => {
  said += chunk;
  const url = /ready at ws(:\/\/[^/]+)/.exec(said)?.[1];
  if (url === undefined || child.asked) return;
  child.asked = true;
  const health = (at) => spawnSync(checker, check, { ...nobody, env: { ...process.env, SPEECHFB_LIVE_URL: at } }).status;
  if (health(`http${url}/livez`) !== 0) fail('HEALTHCHECK does not find it alive');
  if (health('http://127.0.0.1:9/livez') !== 1) fail('HEALTHCHECK finds alive what is not there');
  child.kill('SIGTERM');
});
child.on('exit', (code, signal) => {
  if (code !== 0 || !child.asked) fail(`it ended with ${code ?? signal}`);
  console.log('installed, alive, and ended by SIGTERM with 0, as a user who can write nowhere there');
  process.exit(0);
});
JS
