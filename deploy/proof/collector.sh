#!/bin/sh
# A real OpenTelemetry Collector takes the traces of a real run; `budget` decomposes what its file exporter wrote as it does the run itself.
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

otlp=$(free_port)
port=$(free_port)
cat > "$out/collector.yaml" <<YAML
receivers:
  otlp: { protocols: { http: { endpoint: "127.0.0.1:$otlp" } } }
exporters:
  file: { path: $out/traces.jsonl }
  file/proto: { path: $out/traces.bin, format: proto }
service:
  telemetry: { metrics: { level: none } }
  pipelines: { traces: { receivers: [otlp], exporters: [file, file/proto] } }
YAML
"$cache/bin/otelcol" --config "$out/collector.yaml" 2> "$out/collector.log" &
collector=$!
started="$started $collector"
await_url "http://127.0.0.1:$otlp/"

node "$root/bin/speechfb" serve --port "$port" --gateways 1 --otlp "http://127.0.0.1:$otlp" --trace-share 1 > "$out/serve.out" 2> "$out/serve.log" &
server=$!
started="$started $server"
await_url "http://127.0.0.1:$port/healthz"

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
# 98 is a machine that was too busy to prove anything of the server; its traces are those of that run all the same.
status=0
node "$root/bin/speechfb" loadtest "$out/scenario.yaml" --url "ws://127.0.0.1:$port" --out "$out/run" > "$out/loadtest.txt" 2> "$out/loadtest.log" || status=$?
case $status in 0 | 98) ;; *) cat "$out/loadtest.log" >&2; exit 1 ;; esac
end "$server"
end "$collector"

# Whether the budget holds is not asked here: 98 and 99 have their document, too.
for from in "run run" "otlp traces.jsonl" "otlp traces.bin"; do
  node "$root/bin/speechfb" budget gateway-feedback "--${from% *}" "$out/${from#* }" --json > "$out/budget-${from#* }.json" 2>> "$out/budget.log" || true
done
node "$root/deploy/proof/collector.mjs" "$out"
