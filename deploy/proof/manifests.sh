#!/bin/sh
# Holds the manifests and the chart against the schemas of Kubernetes itself, by the tools that everybody has: helm renders,
# kubeconform validates. Needs Go and Python with pip; builds both tools once (helm takes some minutes) into CACHE.
#   sh deploy/proof/manifests.sh            # from the root of the repository, after npm run build
set -eu

cache=${CACHE:-$HOME/.cache/speechfb-proof}
kubernetes=${KUBERNETES:-1.37.0}
mkdir -p "$cache/bin"

[ -x "$cache/bin/kubeconform" ] || GOBIN="$cache/bin" go install github.com/yannh/kubeconform/cmd/kubeconform@v0.8.0
[ -x "$cache/bin/helm" ] || GOBIN="$cache/bin" go install helm.sh/helm/v3/cmd/helm@v3.22.0
[ -d "$cache/schemas" ] || {
  pip download --quiet --no-deps --dest "$cache/wheel" "kubernetes-validate==$kubernetes"
  python3 - "$cache" "$kubernetes" <<'PYTHON'
import glob, os, pathlib, re, sys, zipfile
cache, version = sys.argv[1:]
wheel, = glob.glob(f"{cache}/wheel/*.whl")
zipfile.ZipFile(wheel).extractall(f"{cache}/wheel")
# The strict schemas of the version, with references that lead to files and not to an address.
minor = ".".join(version.split(".")[:2])
found = sorted(p for p in pathlib.Path(f"{cache}/wheel").rglob("*-standalone-strict") if minor in p.name) or \
        sorted(p for p in pathlib.Path(f"{cache}/wheel").rglob("*-strict") if minor in p.name)
source, target = found[0], pathlib.Path(f"{cache}/schemas")
target.mkdir()
for file in source.glob("*.json"):
    text = file.read_text()
    (target / file.name).write_text(re.sub(r'"[^"]*_definitions\.json', f'"file://{target}/_definitions.json', text))
PYTHON
}

out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
node bin/speechfb deploy --capacity live-class --slo live-feedback --canary canary --out "$out/manifests" >/dev/null
"$cache/bin/helm" lint --strict deploy/chart
for step in 0 1 2 3; do
  "$cache/bin/helm" template speechfb deploy/chart --namespace speechfb --set canaryStep=$step > "$out/chart-$step.yaml"
done
# The kinds of CRDs are held against their own schemas by the tests.
"$cache/bin/kubeconform" -strict -summary -schema-location "$cache/schemas/{{.ResourceKind}}{{.KindSuffix}}.json" \
  -skip Gateway,HTTPRoute,PodMonitor,PrometheusRule,Rollout,AnalysisTemplate,ScaledObject,Kustomization \
  "$out/manifests" "$out"/chart-*.yaml
