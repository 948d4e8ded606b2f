import { describe, expect, it } from 'vitest';
import { SpeechfbError } from '../../../src/errors.ts';
import { parseFlagAddress } from '../../../src/flags/source/flag-address.ts';
import { OfrepProvider } from '../../../src/flags/source/ofrep-provider.ts';
import { PolicyFlag } from '../../../src/flags/source/policy-flag.ts';
import { type OfrepServer, startOfrepServer } from '../../kit/ofrep-server.ts';

/** A flag that is read from a server, and everything that is told of it. */
async function followed(server: OfrepServer, token?: string) {
  const reach: (string | undefined)[] = [];
  const values: unknown[] = [];
  const address = parseFlagAddress(server.url, token);
  const context = { targetingKey: 'speechfb', region: 'eu' };
  const provider = new OfrepProvider({ address, context, everyMs: 5, onReach: (why) => reach.push(why) });
  const onChange = (read: Promise<unknown>) =>
    void read.then(
      (value) => values.push(value),
      (error: Error) => values.push(error.message),
    );
  const flag = await PolicyFlag.open({ flag: 'routing', provider, origin: address.shown, context, onChange });
  return { flag, reach, values, [Symbol.asyncDispose]: () => flag.close() };
}

const until = async (is: () => boolean): Promise<void> => {
  while (!is()) await new Promise((next) => setImmediate(next));
};

describe('a flag of a server that speaks OFREP', () => {
  it('is asked for with the context and the token, and again with the ETag', async () => {
    await using server = await startOfrepServer({ routing: { a: 1 }, other: true });
    await using seen = await followed(server, 'a-long-token');
    expect(await seen.flag.value()).toEqual({ a: 1 });
    await until(() => server.asked.length > 3);
    expect(server.asked[0]).toEqual({
      context: { targetingKey: 'speechfb', region: 'eu' },
      notModified: false,
      authorization: 'Bearer a-long-token',
    });
    expect(server.asked.slice(1).every(({ notModified }) => notModified)).toBe(true);
    expect(seen.values).toEqual([]);
  });

  it('tells that it has another value', async () => {
    await using server = await startOfrepServer({ routing: { a: 1 } });
    await using seen = await followed(server);
    server.flags = { routing: { a: 2 } };
    await until(() => seen.values.length > 0);
    expect(seen.values).toEqual([{ a: 2 }]);
    expect(await seen.flag.value()).toEqual({ a: 2 });
  });

  it.each<[manner: OfrepServer['manner'], why: RegExp]>([
    ['gone', /socket|ECONNRESET|closed/],
    ['unavailable', /it does not answer as OFREP has it \(HTTP 503\)/],
    ['refuses', /it refuses the token \(HTTP 401\)/],
    ['rubbish', /it does not answer as OFREP has it \(HTTP 200\)/],
  ])('keeps its last value while the server %s, and says so once, and that it is back', async (manner, why) => {
    await using server = await startOfrepServer({ routing: { a: 1 } });
    await using seen = await followed(server);
    server.manner = manner;
    await until(() => seen.reach.length > 0);
    expect(seen.reach).toEqual([expect.stringMatching(why)]);
    expect(await seen.flag.value()).toEqual({ a: 1 });
    server.manner = 'well';
    await until(() => seen.reach.length > 1);
    expect(seen.reach.at(-1)).toBeUndefined();
  });

  it('says that the flag is gone, or cannot be evaluated', async () => {
    await using server = await startOfrepServer({ routing: { a: 1 } });
    await using seen = await followed(server);
    server.flags = { another: 1 };
    await until(() => seen.values.length > 0);
    expect(seen.values[0]).toMatch(
      /the flag "routing" gives no policy: the server has no flag "routing"; it has another/,
    );
  });

  it('is not begun with where the server cannot be asked', async () => {
    await using server = await startOfrepServer({});
    server.manner = 'limits';
    const limited = await followed(server).catch((error: unknown) => error);
    expect(limited).toMatchObject({ code: 'flags_unreachable', message: expect.stringContaining('HTTP 429') });
    await server[Symbol.asyncDispose]();
    const gone = await followed(server).catch((error: unknown) => error);
    expect(gone).toMatchObject({ code: 'flags_unreachable', message: expect.stringMatching(/ECONNREFUSED|refused/) });
  });
});

describe('where a server of flags is', () => {
  it.each<[given: string, shown: string, headers: Record<string, string>]>([
    ['ofrep+https://flags.example/', 'ofrep+https://flags.example/', {}],
    ['ofrep+http://127.0.0.1:8016/', 'ofrep+http://127.0.0.1:8016/', {}],
    ['OFREP+HTTPS://u:pw@flags.example/x/', 'ofrep+https://***@flags.example/x/', { authorization: 'Basic dTpwdw==' }],
  ])('%s', (given, shown, headers) => {
    const address = parseFlagAddress(given, undefined);
    expect([address.shown, address.headers()]).toEqual([shown, headers]);
  });

  it.each<[given: string, message: RegExp]>([
    ['https://flags.example/', /is no server of flags; allowed: ofrep\+https:/],
    ['ofrep+http://flags.example/', /is not encrypted/],
    ['ofrep+https://flags.example/?key=secret', /has a query or a fragment/],
    ['ofrep+https://u:secret@/', /is not an HTTP URL/],
  ])('refuses %s', (given, message) => {
    try {
      parseFlagAddress(given, undefined);
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(SpeechfbError);
      expect((error as SpeechfbError).message).toMatch(message);
      expect((error as SpeechfbError).message).not.toContain('secret');
    }
  });
});
