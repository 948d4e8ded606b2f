import { describe, expect, it } from 'vitest';
import { Datagrams } from '../../../src/client/link/quic-way.ts';
import { type ChecksummedFrame, frameFlags, frameHeaderBytes } from '../../../src/protocol/frame.ts';
import { mostDatagramBytes, type QuicSocket } from '../../../src/quic/quic-socket.ts';

/** 20 ms at 16 kHz. */
const payloadBytes = 640;

describe('frames of sound beside a QUIC stream', () => {
  it('are counted until something comes from the server', () => {
    const { datagrams, sent } = create();
    for (let seq = 0; seq < 10; seq++) expect(datagrams.send(frame(seq))).toBe(true);
    expect(datagrams.unheardBytes).toBe(10 * (frameHeaderBytes + payloadBytes));
    datagrams.heard();
    expect(datagrams.unheardBytes).toBe(0);
    datagrams.send(frame(10));
    expect(datagrams.unheardBytes).toBe(frameHeaderBytes + payloadBytes);
    expect(sent).toHaveLength(11);
  });

  it.each<[string, Partial<ChecksummedFrame>, boolean]>([
    ['sent again', { flags: frameFlags.retransmit }, true],
    ['larger than every path takes', { payload: new Uint8Array(mostDatagramBytes - frameHeaderBytes + 1) }, true],
    ['refused by QUIC, which holds enough back', {}, false],
  ])('go on the stream when they are %s, and are not counted', (_, change, takes) => {
    const { datagrams } = create(takes);
    expect(datagrams.send({ ...frame(0), ...change })).toBe(false);
    expect(datagrams.unheardBytes).toBe(0);
  });

  it('go on the stream behind a message, until the server has read it', () => {
    const { datagrams } = create();
    datagrams.asked(true);
    datagrams.asked(false);
    expect(datagrams.send(frame(0))).toBe(false);
    expect([datagrams.answered(), datagrams.answered()]).toEqual([true, false]);
    expect(datagrams.send(frame(1))).toBe(true);
  });
});

function create(takes = true) {
  const sent: Uint8Array[] = [];
  const sendDatagram = (bytes: Uint8Array): boolean => takes && sent.push(bytes) > 0;
  return { datagrams: new Datagrams({ sendDatagram } as QuicSocket), sent };
}

function frame(seq: number): ChecksummedFrame {
  const payload = new Uint8Array(payloadBytes);
  return { codec: 'pcm_s16le', flags: 0, epoch: 0, seq, firstSample: seq * 320, payload, crc32: 0 };
}
