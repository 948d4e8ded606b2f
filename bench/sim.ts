import { DeviceNetwork } from '../src/sim/network.ts';
import { namedNetwork } from '../src/sim/networks/index.ts';
import type { NetworkProfile, TransportName } from '../src/sim/profile/profile.ts';
import { simulateFlow } from '../src/sim/run-flow.ts';
import { collectGarbage } from '../src/threads/memory.ts';

/**
 * What the simulated network costs: CPU a frame (both directions, acknowledgements and feedback included) and memory a
 * phone. Budgets: 5 us a frame, 8 KB a client.
 */
const clients = 50;
const seconds = 120;

for (const name of ['WiFi', 'LTE', '3G', 'VeryBad']) {
  for (const transport of ['tcp', 'quic-stream', 'quic-datagram'] as const) cpu({ ...profileOf(name), transport });
}
memory('LTE');
memory('VeryBad');

function cpu(profile: NetworkProfile): void {
  const options = { seed: 1, durationUs: seconds * 1e6, warmupUs: 0 };
  simulateFlow(profile, { ...options, clients: 5 });
  const before = process.cpuUsage();
  const { up } = simulateFlow(profile, { ...options, clients });
  const { user, system } = process.cpuUsage(before);
  const us = (user + system) / up.written;
  console.log(`${label(profile.name, profile.transport)} ${us.toFixed(2)} us a frame`);
}

function memory(name: string): void {
  const phones = 2000;
  const profile = profileOf(name);
  collect();
  const before = bytesUsed();
  const kept = Array.from({ length: phones }, (_, client) => {
    const network = new DeviceNetwork(profile, { seed: 1, client });
    return { network, connection: network.connect(0) };
  });
  const sink = { opened() {}, delivered() {}, lost() {}, closed() {}, addressChanged() {} };
  for (const { connection } of kept) connection.advance(10e6, sink);
  for (let atUs = 10e6; atUs < 30e6; atUs += 20_000) {
    for (const { connection } of kept) {
      connection.write('up', 648, atUs);
      if (atUs % 500_000 === 0) connection.write('down', 62, atUs);
      connection.advance(atUs, sink);
    }
  }
  collect();
  const bytes = (bytesUsed() - before) / kept.length;
  console.log(`${label(name, profile.transport)} ${(bytes / 1024).toFixed(1)} KiB a client after 20 s`);
}

function profileOf(name: string): NetworkProfile {
  const profile = namedNetwork(name);
  if (profile === undefined) throw new Error(`no network named ${name}`);
  return profile;
}

function label(name: string, transport: TransportName): string {
  return `${name} ${transport}`.padEnd(24);
}

function bytesUsed(): number {
  const { heapUsed, external, arrayBuffers } = process.memoryUsage();
  return heapUsed + Math.max(external, arrayBuffers);
}

/** Several times: the first collection finishes what an incremental one began. */
function collect(): void {
  for (let round = 0; round < 3; round++) collectGarbage();
}
