import { describe, expect, it } from 'vitest';
import { DeviceNetwork } from '../../../src/sim/network.ts';
import type { TransportName } from '../../../src/sim/profile/profile.ts';
import { symmetric } from '../../kit/profiles.ts';

describe('opening a connection at 25 ms one way', () => {
  it.each<[TransportName, boolean, number]>([
    ['tcp', false, 150],
    ['tcp-tls', false, 200],
    ['tcp', true, 100],
    ['tcp-tls', true, 100],
    ['quic-stream', true, 100],
  ])('%s, bare %s: %d ms with the look-up of the name', (transport, bare, ms) => {
    const connection = new DeviceNetwork(symmetric(25, undefined, {}, { transport }), { seed: 1, client: 0 }).connect(
      0,
      { bare },
    );
    let openedUs = Number.NaN;
    connection.advance(1_000_000, {
      opened: (atUs) => {
        openedUs = atUs;
      },
      delivered() {},
      lost() {},
      closed() {},
      addressChanged() {},
    });
    expect(openedUs).toBe(ms * 1000);
  });
});

it('a server that speaks first does so when the last packet of the handshake has come', () => {
  const connection = new DeviceNetwork(symmetric(25, undefined, {}, { transport: 'tcp' }), {
    seed: 1,
    client: 0,
  }).connect(0, { bare: true });
  const heard: [direction: string, atMs: number][] = [];
  // Its socket is there at once; the device's connection opens at 100 ms.
  connection.write('down', 10, 1000);
  connection.write('up', 10, 2000);
  connection.advance(1_000_000, {
    opened() {},
    delivered: (direction, _, atUs) => heard.push([direction, Math.round(atUs / 1000)]),
    lost() {},
    closed() {},
    addressChanged() {},
  });
  expect(heard).toEqual([
    ['up', 125],
    ['down', 150],
  ]);
});
