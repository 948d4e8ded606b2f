import { connect, startMessage } from './client.ts';

export const headersOf = ({ token }: { token: string }) => ({ headers: { authorization: `Bearer ${token}` } });

/** Starts a session that stays, and says how: `ready`, or the code that it was refused with. */
export async function startOne(url: string, caller: { token: string }): Promise<string> {
  try {
    const client = await connect(url, headersOf(caller));
    client.send(startMessage());
    return await Promise.race([
      client.until('ready').then(({ type }) => type),
      client.until('error').then(({ code }) => code),
    ]);
  } catch (error) {
    if (!String(error).includes('429')) throw error;
    return /\[(\w+)\]/.exec(String(error))?.[1] ?? String(error);
  }
}
