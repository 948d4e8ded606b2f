// The bench's work for Artillery: its engine has no binary frames and no latency of messages, so a step in JavaScript sends
// them and reports the latency, from the moment of sending.
module.exports = { speak };

const frame = Buffer.alloc(640, 7);
const seconds = Number(process.env.SECONDS);

function speak(context, events, done) {
  const socket = context.ws;
  const sent = [];
  socket.on('message', () => events.emit('histogram', 'latency', performance.now() - sent.shift()));
  const timer = setInterval(() => {
    sent.push(performance.now());
    socket.send(frame);
    events.emit('counter', 'frames', 1);
  }, 20);
  setTimeout(() => {
    clearInterval(timer);
    setTimeout(done, 2000);
  }, seconds * 1000);
}
