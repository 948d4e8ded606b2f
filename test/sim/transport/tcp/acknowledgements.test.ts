import { describe, expect, it } from 'vitest';
import { PacketLine } from '../../../../src/sim/path/packet-line.ts';
import { Path } from '../../../../src/sim/path/path.ts';
import { TcpEnd } from '../../../../src/sim/transport/tcp/end.ts';
import { Jiffies } from '../../../../src/sim/transport/tcp/jiffies.ts';
import { acknowledge, acknowledgeRead, receiveData } from '../../../../src/sim/transport/tcp/receive.ts';
import { sendAck } from '../../../../src/sim/transport/tcp/transmit.ts';
import { symmetric } from '../../../kit/profiles.ts';

/** An end that receives frames of 648 bytes and has sent its quick first acknowledgements. */
function receiver(): TcpEnd {
  const line = new PacketLine(new Path(symmetric(25), 'down', { seed: 1, client: 0 }));
  const counters = { packets: 0, retransmissions: 0, timeouts: 0, dropped: 0, bytesWritten: 0, bytesDelivered: 0 };
  const end = new TcpEnd(line, counters, new Jiffies(0), 200_000, 0);
  frame(end, { pushed: true, last: true }, 0);
  end.quickAcks = 0;
  acknowledgementsOf(end);
  return end;
}

function frame(end: TcpEnd, { pushed, last }: { pushed: boolean; last: boolean }, nowUs: number): void {
  receiveData(end, end.received, end.received + 648, pushed, nowUs);
  acknowledge(end, last, nowUs);
  if (last) acknowledgeRead(end, nowUs);
}

/** How many were sent since the last look. */
function acknowledgementsOf(end: TcpEnd): number {
  let count = 0;
  for (; end.line.nextUs() < Number.POSITIVE_INFINITY; count++) end.line.shift();
  return count;
}

describe('a frame that was read', () => {
  it.each([
    ['that ends a write is acknowledged at once', true, false, 1],
    ['waits for something to ride on while both talk', true, true, 0],
    ['waits for the next when more of the same write follows', false, false, 0],
  ])('%s', (_, pushed, pingPong, acks) => {
    const end = receiver();
    end.pingPong = pingPong;
    frame(end, { pushed, last: true }, 20_000);
    expect(acknowledgementsOf(end)).toBe(acks);
  });

  it.each([
    ['every second one, while both talk', 20_000, 3],
    ['once, when all came at once', 0, 1],
  ])('is acknowledged %s', (_, intervalUs, acks) => {
    const end = receiver();
    end.pingPong = true;
    for (let at = 1; at <= 6; at++) {
      frame(end, { pushed: true, last: intervalUs > 0 || at === 6 }, 20_000 + at * intervalUs);
    }
    expect(acknowledgementsOf(end)).toBe(acks);
  });
});

describe('the first acknowledgements, which are quick', () => {
  it.each([
    ['are used up by one that was due', true, 4],
    ['are not used up by one that was not', false, 5],
  ])('%s', (_, due, left) => {
    const end = receiver();
    end.quickAcks = 5;
    end.ackPending = due;
    sendAck(end, 20_000);
    expect(end.quickAcks).toBe(left);
  });
});
