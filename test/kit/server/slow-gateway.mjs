// The process of a gateway that does nothing but take connections, in turns of `turnMs`. Each hears which gateway took it,
// and in which turn, after `answerTurns` more: a request is read in a turn of its own, and its place is asked for. `link` is the built module of a gateway's side: a process of its own runs no TypeScript.
process.on('disconnect', () => process.exit());
process.once('message', async ({ config: { gateway, turnMs, answerTurns, link: module } }) => {
  const { SupervisorLink } = await import(module);
  const link = new SupervisorLink({
    gateway,
    channel: {
      send: (message) => void process.send(message, undefined, undefined, () => {}),
      listen: (on) => void process.on('message', (message, handle) => on(message, handle)),
    },
    onDrain: async () => ({ sessions: 0, finished: 0 }),
    onTrouble: (error) => {
      throw error;
    },
  });
  let turn = 0;
  let connections = 0;
  const cell = new Int32Array(new SharedArrayBuffer(4));
  const waiting = [];
  const next = () => {
    turn += 1;
    while (waiting.length > 0 && waiting[0].turn + answerTurns <= turn) {
      const { socket, turn: taken } = waiting.shift();
      socket.end(`${gateway}.${taken}`);
    }
    Atomics.wait(cell, 0, 0, turnMs);
    setImmediate(next);
  };
  link.attach({
    doorPort: 1,
    doorSecret: '',
    take(socket) {
      connections += 1;
      socket.on('error', () => {});
      waiting.push({ socket, turn });
    },
    state: () => ({ notReady: undefined, connections, sessions: 0, detached: 0, sessionLimit: 1000, level: 0 }),
    takeSpent: () => [],
    takeUsed: () => [],
    metrics: async () => [],
  });
  process.send({ type: 'warm', model: { name: 'none', version: '1', provider: 'test', whyNotNative: undefined } });
  next();
});
