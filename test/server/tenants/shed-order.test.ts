import { describe, expect, it } from 'vitest';
import { shedOrder, shedRank } from '../../../src/server/admission/shed-order.ts';
import { connect, type EventOf, startMessage, type TestClient } from '../../kit/server/client.ts';
import { serve } from '../../kit/server/serve.ts';
import { apiToken, newRegistry } from '../../kit/server/tenants.ts';

const paying = await apiToken('0123456789b0');
const trial = await apiToken('0123456789b1');
const nightly = await apiToken('0123456789b2');
const spec = (cap?: number) => ({
  tenants: [
    { name: 'paying', tokens: [paying.entry], ...(cap !== undefined && { limits: { maxSessions: cap } }) },
    { name: 'trial', class: 'free', tokens: [trial.entry] },
    { name: 'nightly', class: 'batch', tokens: [nightly.entry] },
  ],
});
const limits = { maxSessions: 3, placeShare: 1 };

describe('the order in which sessions go', () => {
  it.each([
    ['batch', 'batch', { class: 'live', isOverCap: true }, 0],
    ['beyond the cap', 'live', { class: 'live', isOverCap: true }, 1],
    ['free beyond the cap', 'live', { class: 'free', isOverCap: true }, 1],
    ['free', 'live', { class: 'free', isOverCap: false }, 2],
    ['of everybody else', 'live', { class: 'live', isOverCap: false }, 3],
  ] as const)('a session that is %s has its place', (_, lane, account, place) => {
    expect(shedRank(lane, account)).toBe(place);
    expect(shedOrder[place]).toBeDefined();
  });
});

describe('a full server of tenants', () => {
  it('sends away batch, then free, for a tenant that goes after them, and for no other', async () => {
    const { url } = await serve({ tenants: newRegistry(spec()), limits: { ...limits, batchShare: 1 } });
    const free = await begin(url, trial);
    const batch = await begin(url, nightly);
    const live = await begin(url, paying);
    // Free is no more than live: it takes the place of what can wait.
    const second = await begin(url, trial);
    expect((await sentAway(batch)).reason).toBe('overload');
    await expect(begin(url, nightly)).rejects.toThrow('503');
    // Of two that are free the newer one goes.
    await begin(url, paying);
    expect(await sentAway(second)).toMatchObject({ reason: 'overload', return_ticket: null });
    await begin(url, paying);
    await sentAway(free);
    await expect(begin(url, paying)).rejects.toThrow('503');
    expect(live.of('go_away')).toEqual([]);
  });

  it('sends away what is beyond a cap that was lowered before what is free', async () => {
    const tenants = newRegistry(spec(3));
    const { url } = await serve({ tenants, limits });
    const first = await begin(url, paying);
    const second = await begin(url, paying);
    const free = await begin(url, trial);
    tenants.reload(JSON.stringify({ kind: 'Tenants', spec: spec(1) }));
    // The new cap is known as soon as somebody of the tenant asks.
    await expect(begin(url, paying)).rejects.toThrow('429');
    await expect(begin(url, nightly)).rejects.toThrow('503');
    await begin(url, trial);
    await second.until('go_away');
    expect([...first.of('go_away'), ...free.of('go_away')]).toEqual([]);
  });
});

/** What a client was told; its place is free when it has gone. */
async function sentAway(client: TestClient): Promise<EventOf<'go_away'>> {
  const told = await client.until('go_away');
  client.send({ type: 'close' });
  await client.closed;
  return told;
}

async function begin(url: string, { token }: { token: string }): Promise<TestClient> {
  const client = await connect(url, { headers: { authorization: `Bearer ${token}` } });
  client.send(startMessage());
  await client.until('ready');
  return client;
}
