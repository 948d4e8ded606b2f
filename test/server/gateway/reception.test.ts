import { expect, it } from 'vitest';
import type { Tokens } from '../../../src/server/admission/tokens.ts';
import { createLog } from '../../../src/telemetry/log.ts';
import { connect } from '../../kit/server/client.ts';
import { serve } from '../../kit/server/serve.ts';

it('an upgrade that meets a bug of ours is cut and told of in the log, and the next is taken', async () => {
  const lines: string[] = [];
  const log = createLog('error', { write: (line) => void lines.push(line) });
  let isBroken = true;
  const tokens: Tokens = {
    size: 1,
    nameOf() {
      if (isBroken) throw new Error('a bug');
      return 'class';
    },
  };
  const { url } = await serve({ log, tokens });
  const headers = { authorization: 'Bearer a-token-of-some-length' };
  await expect(connect(url, { headers })).rejects.toThrow('socket hang up');
  isBroken = false;
  const client = await connect(url, { headers });
  client.cut();
  expect(lines.map((line) => JSON.parse(line))).toMatchObject([
    { msg: 'a request for a WebSocket could not be answered', error: expect.stringContaining('a bug') },
  ]);
});
