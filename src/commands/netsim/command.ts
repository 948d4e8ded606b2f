import { type Command, Option } from 'commander';
import type { RegisterCommand } from '../register.ts';
import { type NetsimFlags, type PathFlag, pathFlags } from './flags.ts';

const described: Record<PathFlag, string> = {
  delay: '<duration>|one way, such as 40ms',
  jitter: '<duration>|around the delay, such as 5ms',
  loss: '<share>|of packets, each on its own, such as 1.5%',
  gemodel: '<words>|loss in bursts as netem has it: "1% 32% 100% 0%"',
  rate: '<rate>|such as 512kbit, or unlimited',
  queue: '<packets>|that wait for the link; one more is dropped',
  trace: '<file>|Mahimahi trace of when packets may leave',
};

/** `speechfb netsim PROFILE|FILE`. */
export const registerNetsim: RegisterCommand = (program: Command, done) => {
  const command = program
    .command('netsim')
    .description(
      'Simulates a mobile network under TCP: what becomes of each frame, or a proxy that imposes it on TCP or UDP.',
    )
    .argument(
      '[profile]',
      'a network by name, such as LTE, or a YAML file with networks; without it, what --delay and others say',
    )
    .option('--network <name>', 'which network of a file that has several; without it, the first')
    .option(
      '--duration <duration>',
      'how long the phone speaks in virtual time, 500s unless given; of a proxy, after how long it ends',
    )
    .option('--seed <number>', 'of what is random; the same number gives the same run', '1')
    .option('--clients <number>', 'phones, each with a network of its own; 1 unless given')
    .addOption(
      new Option('--traffic <kind>', 'what comes down: feedback each 500 ms, or an echo of each frame')
        .choices(['speech', 'echo'])
        .default('speech'),
    )
    .option('--transport <name>', 'tcp, tcp-tls, quic-stream or quic-datagram')
    .option(
      '--listen <address>',
      'impose the network on real connections: [host:]port, loopback unless a host is named',
    )
    .option('--upstream <address>', 'where they are passed on to: host:port')
    .option('--udp', 'of --listen: passes datagrams of UDP on, such as those of QUIC, in place of TCP')
    .option('--list', 'every network by name, its figures and where they come from')
    .option('--plot', 'draw latency also when the output is no terminal')
    .addOption(new Option('--json', 'one JSON document on stdout').conflicts('plot'));
  for (const side of ['', 'up-', 'down-'] as const) {
    command.optionsGroup(groups[side]);
    for (const name of pathFlags) {
      const [value, text] = described[name].split('|') as [string, string];
      command.option(`--${side}${name} ${value}`, side === '' ? text : `--${name} of this direction`);
    }
    command.option(
      `--${side}reorder`,
      side === '' ? 'jitter lets packets overtake one another; else they stay in order' : '--reorder of this direction',
    );
  }
  command.action(async (profile: string | undefined, flags: NetsimFlags) => {
    const { runNetsim } = await import('./run.ts');
    done(await runNetsim(profile, flags));
  });
};

const groups = { '': 'Both directions:', 'up-': 'Up, from the phone:', 'down-': 'Down, to the phone:' };
