import { describe, expect, it, vi } from 'vitest';
import { connect, startMessage } from '../kit/server/client.ts';
import { serve } from '../kit/server/serve.ts';

describe('a server that stood still for longer than its clients have time', () => {
  const limits = {
    inferenceTimeoutMs: 600,
    idleTimeoutMs: 600,
    resumeTtlMs: 600,
    startTimeoutMs: 600,
    heartbeatMs: 600,
  };

  it.each([
    ['one that is silent', 0],
    ['one that speaks, whose sound waits', 49],
  ])('goes on with a session: %s', async (_, lastFrame) => {
    const server = await serve({ limits });
    const client = await connect(server.url);
    client.send(startMessage());
    await client.until('ready');
    client.frames(0, lastFrame);
    standStill();
    client.send({ type: 'close' });
    await client.until('utterance_final');
    expect((await client.closed).code).toBe(1000);
    expect(client.of('error')).toEqual([]);
  });

  it('lets a client come back that it could not have heard', async () => {
    const server = await serve({ limits });
    const client = await connect(server.url);
    client.send(startMessage());
    const { session_id, resume_token } = await client.until('ready');
    client.cut();
    await vi.waitFor(() => expect(server.stats()).toMatchObject({ detached: 1 }), 30_000);
    standStill();
    const again = await connect(server.url);
    again.send({ type: 'resume', session_id, resume_token, last_event_id: 0 });
    expect(await again.until('ready')).toMatchObject({ session_id, resumed: true });
  });

  it('takes the start that came meanwhile', async () => {
    const server = await serve({ limits });
    const client = await connect(server.url);
    standStill();
    client.send(startMessage());
    expect(await client.until('ready')).toMatchObject({ resumed: false });
  });
});

/** The process does nothing, as when it is stopped or collects its garbage for long. */
function standStill(): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1500);
}
