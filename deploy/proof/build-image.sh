#!/bin/sh
# Builds deploy/Dockerfile itself where there is no engine and no registry of images: buildah, by chroot, on a base image that is made
# here of Debian's packages and this machine's Node 20, under the name that FROM has. Then runs what came out of it: as its own user, on
# a read-only root, by its ENTRYPOINT, asked by its HEALTHCHECK, ended by SIGTERM. Needs root, buildah, mmdebstrap and Node 20.
#   sh deploy/proof/build-image.sh            # from the root of the repository, after npm run build; BASE=DIR keeps the base image's root
set -eu
cd "$(dirname "$0")/../.."
work=$(mktemp -d)
name=localhost/speechfb:proof
# Nothing is taken from, or left in, the storage of another engine.
buildah() { command buildah --storage-driver vfs --root "$work/storage" --runroot "$work/run" "$@"; }
cleanup() {
  buildah umount --all >/dev/null 2>&1 || true
  buildah rm --all >/dev/null 2>&1 || true
  rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 130' INT TERM
export BUILDAH_ISOLATION=chroot CONTAINERS_REGISTRIES_CONF="$work/registries.conf"
printf 'unqualified-search-registries = ["localhost"]\n' > "$work/registries.conf"
printf '{"default": [{"type": "insecureAcceptAnything"}]}\n' > "$work/policy.json"

base=${BASE:-$work/base}
if [ ! -x "$base/usr/local/bin/node" ]; then
  mmdebstrap --quiet --variant=minbase --include=ca-certificates,libstdc++6 bookworm "$base"
  node=$(readlink -f "$(command -v node)")
  install -D "$node" "$base/usr/local/bin/node"
  mkdir -p "$base/usr/local/lib/node_modules"
  cp -R "$(dirname "$node")/../lib/node_modules/npm" "$base/usr/local/lib/node_modules/npm"
  ln -s ../lib/node_modules/npm/bin/npm-cli.js "$base/usr/local/bin/npm"
  chroot "$base" useradd --uid 1000 --create-home node
fi
[ "$(chroot "$base" node --version | cut -d. -f1)" = v20 ]
from=$(sed -n 's/^FROM \([^ ]*\).*/\1/p' deploy/Dockerfile | sort -u)
container=$(buildah from scratch)
buildah copy --quiet "$container" "$base" / >/dev/null
buildah config --cmd node "$container"
buildah commit --quiet --signature-policy "$work/policy.json" "$container" "localhost/$from" >/dev/null
buildah rm "$container" >/dev/null

mkdir "$work/context"
npm pack --silent --pack-destination "$work/context" >/dev/null
# What npm is told here of registries it is told in the build; no image has it.
authority=$(npm config get cafile)
{
  cat "$HOME/.npmrc" 2>/dev/null || true
  [ ! -f "$authority" ] || printf '\ncafile=/root/authority.pem\n'
} > "$work/npmrc"
set -- --volume "$work/npmrc:/root/.npmrc:ro"
[ ! -f "$authority" ] || set -- "$@" --volume "$authority:/root/authority.pem:ro"
buildah build --pull-never --format docker --signature-policy "$work/policy.json" --file deploy/Dockerfile --tag "$name" "$@" "$work/context" > "$work/log" 2>&1 || { cat "$work/log"; exit 1; }
buildah inspect --type image "$name" > "$work/image.json"
container=$(buildah from --pull-never --signature-policy "$work/policy.json" "$name")
IMAGE="$work/image.json" ROOT="$(buildah mount "$container")" node deploy/proof/run-image.mjs
