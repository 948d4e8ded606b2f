// The bench's work for k6: a virtual user a session, a timer each, latency from the moment of sending.
import { Counter, Trend } from 'k6/metrics';
import { WebSocket } from 'k6/websockets';

const latency = new Trend('latency', true);
const frames = new Counter('frames');
const { URL: url, SESSIONS: sessions, SECONDS: seconds, RAMP: ramp } = __ENV;

export const options = {
  scenarios: { learners: { executor: 'per-vu-iterations', vus: Number(sessions), iterations: 1, maxDuration: '10m' } },
  summaryTrendStats: ['p(99)'],
};

export default function () {
  setTimeout(speak, ((__VU - 1) * ramp * 1000) / sessions);
}

function speak() {
  const socket = new WebSocket(url);
  socket.binaryType = 'arraybuffer';
  const frame = new Uint8Array(640).fill(7).buffer;
  const sent = [];
  socket.addEventListener('message', () => latency.add(Date.now() - sent.shift()));
  socket.addEventListener('open', () => {
    const timer = setInterval(() => {
      sent.push(Date.now());
      socket.send(frame);
      frames.add(1);
    }, 20);
    setTimeout(() => {
      clearInterval(timer);
      setTimeout(() => socket.close(), 2000);
    }, seconds * 1000);
  });
}

export function handleSummary({ metrics }) {
  const result = { frames: metrics.frames.values.count, p99Ms: metrics.latency.values['p(99)'] };
  return { stdout: `${JSON.stringify(result)}\n` };
}
