#!/bin/sh
# A real OpenTelemetry Collector takes the traces of a real run; `budget` decomposes what its file exporter wrote as it does the run itself.
# Then another takes those of a gateway and a node as two processes, in which each utterance must be one tree across the trunk.
# Needs Go; builds the Collector once (some five minutes) into CACHE. Everything is on the loopback interface.
#   sh deploy/proof/collector.sh            # from the root of the repository, after npm run build; KEEP=DIR keeps what came
set -eu

root=$(cd "$(dirname "$0")/../.." && pwd)
cache=${CACHE:-$HOME/.cache/speechfb-proof}
sh "$root/deploy/proof/tools.sh" otelcol
out=${KEEP:-$(mktemp -d)}
mkdir -p "$out"
started=
stop() {
  for pid in $started; do kill "$pid" 2>/dev/null || true; done
  [ -n "${KEEP:-}" ] || rm -rf "$out"
}
trap stop EXIT
trap 'exit 130' INT TERM

free_port() {
  node -e 'const s = require("net").createServer().listen(0, "127.0.0.1", () => { console.log(s.address().port); s.close(); })'
}
# Waits, half a minute at most, until an address answers at all.
await_url() {
  tries=0
  until curl -s -o "$out/answer" "$1"; do
    tries=$((tries + 1))
    [ $tries -lt 150 ] || { echo "nothing answers at $1" >&2; exit 1; }
    sleep 0.2
  done
}
end() {
  kill -TERM "$1"
  wait "$1" || true
}

# A Collector that writes into a folder: its address is in $otlp, its process in $collector.
collect() {
  mkdir -p "$1"
  otlp=$(free_port)
  cat > "$1/collector.yaml" <<YAML
receivers:
  otlp: { protocols: { http: { endpoint: "127.0.0.1:$otlp" } } }
exporters:
  file: { path: $1/traces.jsonl }
  file/proto: { path: $1/traces.bin, format: proto }
service:
  telemetry: { metrics: { level: none } }
  pipelines: { traces: { receivers: [otlp], exporters: [file, file/proto] } }
YAML
  "$cache/bin/otelcol" --config "$1/collector.yaml" 2> "$1/collector.log" &
  collector=$!
  started="$started $collector"
  await_url "http://127.0.0.1:$otlp/"
}
# A part of the server that sends all of its traces there, under a name of its own: serve NAME FLAGS; its process is in $server.
serve() {
  name=$1
  shift
  OTEL_SERVICE_NAME=$name node "$root/bin/speechfb" serve "$@" --otlp "http://127.0.0.1:$otlp" --trace-share 1 > "$folder/$name.out" 2> "$folder/$name.log" &
  server=$!
  started="$started $server"
}
# 98 is a machine that was too busy to prove anything of the server; its traces are those of that run all the same.
load() {
  status=0
  node "$root/bin/speechfb" loadtest "$out/scenario.yaml" --url "ws://127.0.0.1:$port" --out "$folder/run" > "$folder/loadtest.txt" 2> "$folder/loadtest.log" || status=$?
  case $status in 0 | 98) ;; *) cat "$folder/loadtest.log" >&2; exit 1 ;; esac
}

cat > "$out/scenario.yaml" <<YAML
apiVersion: speechfb.dev/v1alpha1
kind: LoadScenario
metadata: { name: traced-readers }
spec:
  target: {}
  learners: { clips: $root/fixtures/audio/manifest.jsonl, frame: 20ms, emitInterval: 100ms, pause: 500ms }
  load: { learners: ${LEARNERS:-12}, ramp: 2s }
  duration: ${DURATION:-40s}
  drain: 10s
  seed: 1
  objectives: ['lost_frames == 0']
YAML
folder=$out
collect "$folder"
port=$(free_port)
serve speechfb --port "$port" --gateways 1
await_url "http://127.0.0.1:$port/healthz"
load
end "$server"
end "$collector"

# Whether the budget holds is not asked here: 98 and 99 have their document, too.
for from in "run run" "otlp traces.jsonl" "otlp traces.bin"; do
  node "$root/bin/speechfb" budget gateway-feedback "--${from% *}" "$out/${from#* }" --json > "$out/budget-${from#* }.json" 2>> "$out/budget.log" || true
done
failed=0
node "$root/deploy/proof/collector.mjs" "$out" || failed=1

folder=$out/nodes
collect "$folder"
port=$(free_port)
trunk=$(free_port)
serve node --role inference --node-listen "127.0.0.1:$trunk"
node_process=$server
serve gateway --role gateway --port "$port" --gateways 1 --node "127.0.0.1:$trunk"
# Ready is a gateway that has found its node.
tries=0
until curl -sf -o /dev/null "http://127.0.0.1:$port/readyz"; do
  tries=$((tries + 1))
  [ $tries -lt 300 ] || { echo "the gateway does not find its node" >&2; exit 1; }
  sleep 0.2
done
load
end "$server"
end "$node_process"
end "$collector"
node "$root/deploy/proof/collector-nodes.mjs" "$folder" || failed=1
exit $failed
