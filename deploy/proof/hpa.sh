#!/bin/sh
# Plays metric timelines to Kubernetes' own HPA controller, in virtual time, and writes what it did where the tests of src/capacity look.
# Needs Go 1.26; the controller takes some five minutes to compile once, its timelines ten seconds.
#   sh deploy/proof/hpa.sh                  # from the root of the repository
set -eu

root=$(cd "$(dirname "$0")/../.." && pwd)
cache=${CACHE:-$HOME/.cache/speechfb-proof}
sh "$root/deploy/proof/tools.sh" kubernetes
module=$(echo "$cache"/build/kubernetes-*)
mkdir -p "$module/hpa"
cp "$root"/deploy/proof/hpa/*.go "$module/hpa/"
cd "$module"
KUBERNETES=${module##*-} GOLDEN="$root/test/capacity/simulation/golden/hpa.json" CGO_ENABLED=0 go test -p "${BUILDS:-1}" -vet=off -count=1 ./hpa/
