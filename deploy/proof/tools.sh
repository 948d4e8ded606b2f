#!/bin/sh
# Builds real parts from Go modules, once, into CACHE/bin: what the proofs beside this file run. Needs Go 1.26 and some twenty minutes for an API server.
#   sh deploy/proof/tools.sh etcd kube-apiserver controllers crds helm otelcol
set -eu

here=$(cd "$(dirname "$0")" && pwd)
cache=${CACHE:-$HOME/.cache/speechfb-proof}
kubernetes=1.37.2
etcd=3.6.16
helm=3.22.0
controller_gen=0.21.0
collector=0.161.0
providers=1.67.0
mkdir -p "$cache/bin" "$cache/build"
# Builds one after another and behind everything else that runs: a build is in no hurry, a proof measures.
export GOFLAGS="${GOFLAGS:-} -p=${BUILDS:-1}" CGO_ENABLED=0

# Kubernetes replaces its own modules by folders, which nobody who requires it inherits: each is named anew.
kubernetes_module() {
  module="$cache/build/kubernetes-$kubernetes"
  [ -f "$module/go.sum" ] && return
  rm -rf "$module" && mkdir -p "$module" && cd "$module"
  go mod init proof 2>/dev/null
  go mod edit -require "k8s.io/kubernetes@v$kubernetes"
  go mod download "k8s.io/kubernetes@v$kubernetes"
  sed -nE 's|^\s*(k8s\.io/[a-z0-9-]+) => \./staging.*|\1|p' "$(go env GOMODCACHE)/cache/download/k8s.io/kubernetes/@v/v$kubernetes.mod" |
    while read -r staged; do go mod edit -replace "$staged=$staged@v0.${kubernetes#1.}"; done
  go get -tool k8s.io/kubernetes/cmd/kube-apiserver k8s.io/kubernetes/cmd/kube-controller-manager
  go mod tidy
}

# The CRDs of the kinds in a Go package, made of its types: what the API server holds manifests of these kinds against.
crd() {
  module="$cache/build/crds/$1"
  mkdir -p "$module" && cd "$module"
  [ -f go.mod ] || go mod init proof
  go get "$2/$3@v$4"
  printf 'package proof\n\nimport _ "%s/%s"\n' "$2" "$3" > types.go
  "$cache/bin/controller-gen" crd:crdVersions=v1,allowDangerousTypes=true,maxDescLen=0,generateEmbeddedObjectMeta=true "paths=$2/$3" "output:crd:dir=$cache/crds.new"
}

build() {
  case $1 in
    kube-*)
      kubernetes_module && cd "$cache/build/kubernetes-$kubernetes"
      go build -ldflags "-s -w -X k8s.io/component-base/version.gitVersion=v$kubernetes" -o "$cache/bin/$1" "k8s.io/kubernetes/cmd/$1"
      ;;
    controllers)
      kubernetes_module && cd "$cache/build/kubernetes-$kubernetes"
      mkdir -p controllers && cp "$here/controllers/main.go" controllers/
      go build -ldflags '-s -w' -o "$cache/bin/controllers" ./controllers
      ;;
    etcd)
      mkdir -p "$cache/build/etcd-$etcd" && cd "$cache/build/etcd-$etcd"
      [ -f go.mod ] || go mod init proof
      go get -tool "go.etcd.io/etcd/server/v3@v$etcd"
      go build -ldflags '-s -w' -o "$cache/bin/etcd" go.etcd.io/etcd/server/v3
      ;;
    helm) GOBIN="$cache/bin" go install "helm.sh/helm/v3/cmd/helm@v$helm" ;;
    kubernetes) kubernetes_module ;;
    crds)
      GOBIN="$cache/bin" go install "sigs.k8s.io/controller-tools/cmd/controller-gen@v$controller_gen"
      crd gateway-api sigs.k8s.io/gateway-api apis/v1 1.6.3
      crd prometheus-operator github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring v1 0.95.2
      crd argo-rollouts github.com/argoproj/argo-rollouts pkg/apis/rollouts/v1alpha1 1.10.1
      crd keda github.com/kedacore/keda/v2 apis/keda/v1alpha1 2.21.0
      # A group of Kubernetes' own asks who has approved it.
      for file in "$cache"/crds.new/gateway.*; do
        sed -i 's|^  annotations:|&\n    api-approved.kubernetes.io: "unapproved, made of the types for a proof"|' "$file"
      done
      mv "$cache/crds.new" "$cache/crds"
      ;;
    otelcol)
      [ -x "$cache/bin/builder" ] || GOBIN="$cache/bin" go install "go.opentelemetry.io/collector/cmd/builder@v$collector"
      mkdir -p "$cache/build/otelcol" && cd "$cache/build/otelcol"
      cat > builder.yaml <<YAML
dist: { name: otelcol, description: Proof of the traces, output_path: ./made }
receivers:
  - gomod: go.opentelemetry.io/collector/receiver/otlpreceiver v$collector
exporters:
  - gomod: github.com/open-telemetry/opentelemetry-collector-contrib/exporter/fileexporter v$collector
providers:
  - gomod: go.opentelemetry.io/collector/confmap/provider/fileprovider v$providers
  - gomod: go.opentelemetry.io/collector/confmap/provider/yamlprovider v$providers
  - gomod: go.opentelemetry.io/collector/confmap/provider/envprovider v$providers
YAML
      "$cache/bin/builder" --config builder.yaml
      mv made/otelcol "$cache/bin/otelcol"
      ;;
    *)
      echo "no recipe for $1" >&2
      exit 2
      ;;
  esac
}

for tool in "$@"; do
  [ -x "$cache/bin/$tool" ] || [ -d "$cache/$tool" ] || {
    echo "building $tool" >&2
    (build "$tool")
  }
done
