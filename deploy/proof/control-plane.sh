#!/bin/sh
# A real Kubernetes control plane (etcd, API server, the controllers of controllers/main.go) on the loopback interface, without a container: it
# takes every manifest that `speechfb deploy` writes, and its own HPA scales nodes by the slots that a gateway's admin plane serves.
# control-plane/autoscaling.mjs says what is real there and what is not.
# Needs Go, kubectl and openssl; builds what it runs once (half an hour on two cores) into CACHE. Ends what it starts.
#   sh deploy/proof/control-plane.sh        # from the root of the repository, after npm run build; KEEP=DIR keeps logs and manifests
set -eu

root=$(cd "$(dirname "$0")/../.." && pwd)
cache=${CACHE:-$HOME/.cache/speechfb-proof}
bin=$cache/bin
sh "$root/deploy/proof/tools.sh" etcd kube-apiserver controllers crds
out=${KEEP:-$(mktemp -d)}
mkdir -p "$out/pki" "$out/log"
out=$(cd "$out" && pwd)
started=
stop() {
  # Nothing of theirs is kept, and an API server whose store has ended waits a minute before it does.
  for pid in $started; do kill -KILL "$pid" 2>/dev/null || true; done
  for pid in $started; do wait "$pid" 2>/dev/null || true; done
  [ -n "${KEEP:-}" ] || rm -rf "$out"
}
trap stop EXIT
trap 'exit 130' INT TERM

start() {
  name=$1
  shift
  "$@" > "$out/log/$name.log" 2>&1 &
  started="$! $started"
}

free_ports() {
  node -e '
    const servers = Array.from({ length: Number(process.argv[1]) }, () => require("net").createServer().listen(0, "127.0.0.1"));
    setTimeout(() => { for (const one of servers) { console.log(one.address().port); one.close(); } }, 100);' "$1"
}
set -- $(free_ports 4)
etcd=$1 peer=$2 api=$3
ADMIN_PORT=$4

# One authority signs servers and trunks, another the front proxy, as in a cluster.
cd "$out/pki"
authority() { openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj "/CN=$1" -keyout "$1.key" -out "$1.crt" 2>/dev/null; }
certificate() { # NAME SIGNER COMMON-NAME ALTERNATIVES
  openssl req -newkey rsa:2048 -nodes -subj "/CN=$3" -keyout "$1.key" -out "$1.csr" 2>/dev/null
  printf 'subjectAltName=%s\n' "$4" > "$1.ext"
  openssl x509 -req -days 2 -in "$1.csr" -CA "$2.crt" -CAkey "$2.key" -CAcreateserial -extfile "$1.ext" -out "$1.crt" 2>/dev/null
}
authority cluster
authority front-proxy
certificate api cluster kube-apiserver IP:127.0.0.1,DNS:localhost
certificate admin cluster speechfb-admin DNS:speechfb-admin.speechfb.svc,IP:127.0.0.1
certificate trunk cluster speechfb-trunk IP:127.0.0.1,DNS:localhost
certificate front-proxy-client front-proxy front-proxy-client DNS:front-proxy-client
openssl genrsa -out accounts.key 2048 2>/dev/null
token=$(openssl rand -hex 16)
echo "$token,admin,admin,system:masters" > tokens.csv
cd "$root"

cat > "$out/kubeconfig" <<YAML
apiVersion: v1
kind: Config
current-context: proof
clusters: [{ name: proof, cluster: { server: "https://127.0.0.1:$api", certificate-authority: $out/pki/cluster.crt } }]
users: [{ name: admin, user: { token: "$token" } }]
contexts: [{ name: proof, context: { cluster: proof, user: admin } }]
YAML
export KUBECONFIG="$out/kubeconfig"

start etcd "$bin/etcd" --data-dir "$out/etcd" --unsafe-no-fsync --listen-client-urls "http://127.0.0.1:$etcd" \
  --advertise-client-urls "http://127.0.0.1:$etcd" --listen-peer-urls "http://127.0.0.1:$peer"
start api "$bin/kube-apiserver" --etcd-servers "http://127.0.0.1:$etcd" --bind-address 127.0.0.1 --secure-port "$api" \
  --tls-cert-file "$out/pki/api.crt" --tls-private-key-file "$out/pki/api.key" --token-auth-file "$out/pki/tokens.csv" \
  --authorization-mode RBAC --service-cluster-ip-range 10.99.0.0/24 --service-account-issuer https://kubernetes.default.svc \
  --service-account-key-file "$out/pki/accounts.key" --service-account-signing-key-file "$out/pki/accounts.key" \
  --requestheader-client-ca-file "$out/pki/front-proxy.crt" --requestheader-allowed-names front-proxy-client \
  --requestheader-username-headers X-Remote-User --requestheader-group-headers X-Remote-Group \
  --requestheader-extra-headers-prefix X-Remote-Extra- \
  --proxy-client-cert-file "$out/pki/front-proxy-client.crt" --proxy-client-key-file "$out/pki/front-proxy-client.key"
tries=0
until [ "$(kubectl get --raw /readyz 2>/dev/null)" = ok ]; do
  tries=$((tries + 1))
  [ $tries -lt 240 ] || { tail -n 20 "$out/log/api.log" >&2; exit 1; }
  sleep 0.5
done
start controllers "$bin/controllers"

OUT=$out CACHE=$cache ADMIN_PORT=$ADMIN_PORT API=https://127.0.0.1:$api TOKEN=$token NODE_EXTRA_CA_CERTS="$out/pki/cluster.crt" \
  node deploy/proof/control-plane/main.mjs
