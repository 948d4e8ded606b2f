// The bench's work as a plain script over the ws library does it: a timer a session, latency from the moment of sending.
import { WebSocket } from 'ws';

const [url, sessions, seconds, ramp] = process.argv.slice(2).map((text, i) => (i === 0 ? text : Number(text)));
const frame = Buffer.alloc(640, 7);
const latencies = [];
let frames = 0;

function session() {
  return new Promise((resolve) => {
    const socket = new WebSocket(url, { perMessageDeflate: false });
    const sent = [];
    socket.on('message', () => latencies.push(performance.now() - sent.shift()));
    socket.on('error', resolve);
    socket.on('open', () => {
      const timer = setInterval(() => {
        sent.push(performance.now());
        socket.send(frame);
        frames++;
      }, 20);
      setTimeout(() => {
        clearInterval(timer);
        setTimeout(() => {
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
