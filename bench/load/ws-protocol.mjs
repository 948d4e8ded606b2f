// The same work as speechfb's own generator does it on the wire, as a plain script over the ws library: frames with the header of
// speechfb.v1, each answer parsed and matched with the frame that it speaks of. A timer a session, latency from the moment of sending.
import { crc32 } from 'node:zlib';
import { WebSocket } from 'ws';

const [url, sessions, seconds, ramp] = process.argv.slice(2).map((text, i) => (i === 0 ? text : Number(text)));
const payload = Buffer.alloc(640, 7);
const checksum = crc32(payload);
const start = {
  type: 'start',
  protocol: 'speechfb.v1',
  audio: { encoding: 'pcm_s16le', sample_rate: 16_000, channels: 1 },
  reference: { text: 'a' },
  emit_interval_ms: 20,
};
const latencies = [];
let frames = 0;

function frameOf(seq) {
  const frame = Buffer.alloc(24 + payload.length);
  frame.set([0x53, 1, 0, 0]);
  frame.writeUInt32LE(seq, 8);
  frame.writeUInt32LE(checksum, 12);
  frame.writeBigUInt64LE(BigInt(320 * seq), 16);
  frame.set(payload, 24);
  return frame;
}

function session() {
  return new Promise((resolve) => {
    const socket = new WebSocket(url, ['speechfb.v1'], { perMessageDeflate: false });
    const sent = [];
    let timer;
    let acked = 0;
    const speak = () => {
      timer = setInterval(() => {
        const seq = sent.length;
        sent.push(performance.now());
        socket.send(frameOf(seq));
        frames++;
      }, 20);
    };
    socket.on('message', (data) => {
      const event = JSON.parse(data.toString());
      if (event.type === 'phoneme_feedback') {
        latencies.push(performance.now() - sent[Math.round(event.audio_ms / 20) - 1]);
      } else if (event.type === 'ack') acked = event.next_seq;
      else if (event.type === 'ready') speak();
    });
    socket.on('error', resolve);
    socket.on('open', () => {
      socket.send(JSON.stringify(start));
      setTimeout(() => {
        clearInterval(timer);
        setTimeout(() => {
          if (acked < sent.length - 10) console.error(`only ${acked} of ${sent.length} frames were acknowledged`);
          socket.terminate();
          resolve();
        }, 2000);
      }, seconds * 1000);
    });
  });
}

await Promise.all(
  Array.from(
    { length: sessions },
    (_, i) => new Promise((resolve) => setTimeout(() => session().then(resolve), (i * ramp * 1000) / sessions)),
  ),
);
const sorted = Float64Array.from(latencies).sort();
console.log(JSON.stringify({ frames, p99Ms: sorted[Math.ceil(0.99 * sorted.length) - 1] }));
