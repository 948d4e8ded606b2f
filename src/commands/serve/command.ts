import { type Command, Option } from 'commander';
import { flag, wholeNumber } from '../../flag.ts';
import { defaultPort } from '../../protocol/address.ts';
import { mostGateways } from '../../server/cluster/shares.ts';
import type { Limits } from '../../server/limits.ts';
import { logLevels } from '../../telemetry/log-levels.ts';
import { parseDurationMs } from '../../units.ts';
import { addKafkaOptions } from '../handoff/kafka.ts';
import type { RegisterCommand } from '../register.ts';
import { parseLimit } from './flags/limit-flag.ts';
import { parseTraceShare, parseTraceSlow } from './flags/tracing-flags.ts';
import { parseRegion, serveRoles } from './roles.ts';
import { addRoutingOptions } from './routing/flags.ts';
import type { ServeFlags } from './settings.ts';

/** `speechfb serve`: the speechfb.v1 protocol over WebSocket, until a signal. */
export const registerServe: RegisterCommand = (program: Command, done) => {
  const command = program
    .command('serve')
    .description('Scores learners while they speak: the speechfb.v1 protocol over WebSocket.')
    .option('--host <address>', 'listen here; beyond loopback --token-file or TLS is needed', '127.0.0.1')
    .option('--port <number>', '0 takes any free one', flag('--port', wholeNumber(0, 65_535)), defaultPort)
    .option('--model <dir>', 'a model package; default the shipped en-learner')
    .option('--device <name>', 'auto, cpu, cuda, webgpu or wasm', 'auto')
    .option('--allow-origin <origin...>', 'pages of other hosts that may connect, as https://host:port')
    .option('--allow-host <name...>', 'names that callers may know this server by, as class.example')
    .option(
      '--trust-proxy <number>',
      'so many proxies in front name their callers in X-Forwarded-For; each caller is counted by that address',
      flag('--trust-proxy', wholeNumber(1, 16)),
    )
    .option(
      '--gateways <number>',
      'processes behind the port, each with its own sockets and model; default 1 for each 3 cores',
      flag('--gateways', wholeNumber(1, mostGateways)),
    )
    .option('--max-sessions <number>', 'sessions at once', flag('--max-sessions', wholeNumber(1, 1_000_000)))
    .option(
      '--drain <duration>',
      'how long sessions have for their finals after SIGTERM, as 10s',
      flag('--drain', parseDurationMs),
    )
    .option(
      '--limit <name=value>',
      'any limit of docs/protocol.md, as idle_timeout_ms=30000; may be repeated',
      (text: string, before: Partial<Limits>) => ({ ...before, ...flag('--limit', parseLimit)(text) }),
      {},
    )
    .option('--fault-injection', 'for load tests: POST /faults/inference may hurt the model, SIGUSR2 make a node lie')
    .addOption(
      new Option('--log-level <level>', 'on stderr; JSON unless it is a terminal').choices(logLevels).default('info'),
    )
    .addOption(
      new Option('--parent-fd <number>', 'a pipe to the load test that started this server, which ends it')
        .argParser(flag('--parent-fd', wholeNumber(0, 1023)))
        .hideHelp(),
    );
  const groups = [
    addStoreOptions,
    addCallerOptions,
    addRoutingOptions,
    addCurveOptions,
    addAdminOptions,
    addTraceOptions,
    addRoleOptions,
  ];
  for (const add of groups) add(command);
  command.action(async (flags: ServeFlags) => {
    // First of all: a parent that dies meanwhile must not leave the server behind.
    if (flags.parentFd !== undefined) {
      const { endWithParent } = await import('../../threads/end-with-parent.ts');
      endWithParent(flags.parentFd);
    }
    if (flags.calibrate !== undefined) {
      const { runCalibrate } = await import('./calibrate.ts');
      done(await runCalibrate(flags));
      return;
    }
    const { runServe } = await import('./run.ts');
    done(await runServe(flags));
  });
};

/** What says where and for how long sessions can be resumed. */
function addStoreOptions(command: Command): void {
  addKafkaOptions(command);
  command
    .addOption(
      new Option(
        '--handoff <where>',
        'memory: what cannot be finished live is scored later in this process, when there is room; without --kafka',
      ).choices(['memory']),
    )
    .option(
      '--resume-ttl <duration>',
      'how long a session outlives its socket, as 30s',
      flag('--resume-ttl', parseDurationMs),
    )
    .option(
      '--store <store>',
      'where sessions are kept so that they go on at other gateways: memory (they do not) or redis://host:port/0',
      'memory',
    )
    .option(
      '--keep-audio <duration>',
      'how long the sound of what is scored later is kept, encrypted, as 24h; --kafka keeps nothing without it, --handoff memory 10m',
      flag('--keep-audio', parseDurationMs),
    )
    .option('--public-url <url>', 'where learners find this very gateway, as wss://gateway-1.example/v1/stream');
}

/** What says who may call, and how they know the server. */
function addCallerOptions(command: Command): void {
  command
    .option('--token-file <file>', 'who may connect: one "name token" a line')
    .option('--tenants <file>', 'tenants with caps, API tokens and JWT issuers (YAML); read anew when it changes')
    .option('--tls-cert <file>', 'PEM certificate chain; with --tls-key')
    .option('--tls-key <file>', 'PEM private key; with --tls-cert')
    .option(
      '--quic <number>',
      'speak QUIC too, at this UDP port; 0 takes the number of --port; with --tls-cert and @currentspace/http3',
      flag('--quic', wholeNumber(0, 65_535)),
    );
}

/** What measures a device, and what takes that up. */
function addCurveOptions(command: Command): void {
  command
    .option(
      '--curve <file>',
      'what --calibrate measured: how the device is driven, and how many sessions to begin with',
    )
    .option(
      '--calibrate [file]',
      'serve nobody: measure how many streams the device carries, write the curve (default curve.json), end',
    )
    .option(
      '--calibrate-for <duration>',
      'how long --calibrate may take; default 60s',
      flag('--calibrate-for', parseDurationMs),
    )
    .option('--force', 'with --calibrate: write over a file that is there')
    .option('--json', 'with --calibrate: one document on stdout');
}

/** What lets those who run the server look into it and change it. */
function addAdminOptions(command: Command): void {
  command
    .option('--admin-listen <address>', 'the admin plane here, as 127.0.0.1:8095; beyond loopback it needs TLS')
    .option('--admin-token-file <file>', 'who may call it: one "name role token" a line, role read or operate')
    .option('--admin-tls-cert <file>', 'PEM certificate chain of the admin plane; default: that of --tls-cert')
    .option('--admin-tls-key <file>', 'PEM private key; with --admin-tls-cert')
    .option(
      '--front-proxy-ca <file>',
      "PEM of who signs Kubernetes' front proxy, which may read external.metrics.k8s.io; needs TLS",
    )
    .option('--front-proxy-name <name...>', 'common names that its certificate may have; default: any')
    .option('--audit-log <file>', 'write down there what operators change; without it they change nothing');
}

/** What says which traces are kept, and where they go. */
function addTraceOptions(command: Command): void {
  command
    .option('--otlp <url>', 'send traces to this OTLP receiver, as http://127.0.0.1:4318; default: none')
    .option(
      '--trace-share <share>',
      'share of the utterances whose traces are kept beside slow and failed ones; default 1%',
      flag('--trace-share', parseTraceShare),
    )
    .option(
      '--trace-slow <duration>',
      'a feedback or final that takes longer makes its utterance a slow one; default 500ms',
      parseTraceSlow,
    );
}

/** What says which part of a service this process is. */
function addRoleOptions(command: Command): void {
  command
    .addOption(
      new Option('--role <role>', 'all in one process, or a gateway that scores at nodes, or such a node')
        .choices(serveRoles)
        .default('all'),
    )
    .option('--node <address...>', 'for a gateway: its nodes, as host:port, unix:/path or dns:name:port')
    .option('--spill-node <address...>', 'for a gateway: nodes that are asked only when all of --node have refused')
    .option('--node-listen <address>', 'for a node: where gateways find it; default 127.0.0.1:8091')
    .option('--slots <number>', 'for a node: sessions at once', flag('--slots', wholeNumber(1, 100_000)))
    .option('--http-listen <address>', 'for a node: /healthz, /readyz and /metrics here, as 127.0.0.1:9091')
    .option(
      '--pod-deletion-cost [folder]',
      "for a node in Kubernetes: say what it costs to delete its pod, its sessions; folder of the pod's account",
    )
    .option(
      '--region <name>',
      'where this is: gateways and nodes of one region work together; tokens and sessions of another are refused',
      flag('--region', parseRegion),
    )
    .option('--node-cert <file>', 'PEM certificate that this end of a trunk shows; with --node-key and --node-ca')
    .option('--node-key <file>', 'PEM private key of --node-cert')
    .option('--node-ca <file>', 'PEM certificate of who signs the certificates of the other ends');
}
