#!/bin/sh
# Runs the load test of this folder on the cluster that kubectl points at, and ends with its verdict's exit code.
#   deploy/loadtest/run.sh [RUN] [TOKEN_FILE]
set -eu
cd "$(dirname "$0")"
run=${1:-run-$(date -u +%Y%m%d-%H%M%S)}
token=${2:-/dev/null}
# Two minutes: images are pulled, pods scheduled, schedules planned.
start=$(date -u -d '+2 minutes' +%Y-%m-%dT%H:%M:%SZ 2>/dev/null || date -u -v+2M +%Y-%m-%dT%H:%M:%SZ)

apply() { sed "s/value: run-1/value: $run/; s/2030-01-01T00:00:00Z/$start/" "$1" | kubectl apply -f -; }
kubectl delete job loadtest-shards loadtest-merge --ignore-not-found
kubectl create configmap loadtest-scenario --from-file=scenario.yaml --dry-run=client -o yaml | kubectl apply -f -
kubectl create secret generic loadtest-token --from-file=token="$token" --dry-run=client -o yaml | kubectl apply -f -
kubectl apply -f results.yaml
apply shards.yaml
echo "learners begin at $start"
# A Job ends as complete or as failed: wait for whichever comes.
until state=$(kubectl get job loadtest-shards -o jsonpath='{.status.conditions[?(@.status=="True")].type}') &&
  echo "$state" | grep -Eq 'Complete|Failed'; do sleep 5; done
if echo "$state" | grep -q Failed; then
  kubectl logs -l app.kubernetes.io/component=shard --tail=20 --prefix
  exit 2
fi
apply merge.yaml
until state=$(kubectl get job loadtest-merge -o jsonpath='{.status.conditions[?(@.status=="True")].type}') &&
  echo "$state" | grep -Eq 'Complete|Failed'; do sleep 2; done
kubectl logs job/loadtest-merge
exit "$(kubectl get pods -l app.kubernetes.io/component=merge \
  -o jsonpath='{.items[0].status.containerStatuses[0].state.terminated.exitCode}')"
