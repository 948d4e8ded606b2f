// The API server of the proof, as a program asks it: over HTTPS, with the token of its administrator.
import { spawnSync } from 'node:child_process';

const { API, TOKEN } = process.env;

/** What the API server answers; undefined where there is nothing of that name. Throws what else is not 2xx. */
export async function ask(path, { method = 'GET', body, type = 'application/json' } = {}) {
  const headers = { authorization: `Bearer ${TOKEN}`, 'content-type': type };
  const response = await fetchAgain(`${API}${path}`, { method, headers, ...(body && { body: JSON.stringify(body) }) });
  const text = await response.text();
  if (response.status === 404) return undefined;
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text.slice(0, 300)}`);
  return text === '' ? undefined : JSON.parse(text);
}

/** Again on another connection: one that was idle while kubectl ran may have been closed by the other end. */
async function fetchAgain(url, options) {
  for (let left = 3; ; left--) {
    try {
      return await fetch(url, options);
    } catch (error) {
      if (left === 0) throw error;
    }
  }
}

/** kubectl with its exit status and all that it said. */
export function kubectl(args, input) {
  const { status, stdout, stderr } = spawnSync('kubectl', args, { encoding: 'utf8', input });
  return { status, said: `${stdout}${stderr}`.trim() };
}

export const merge = (path, body) => ask(path, { method: 'PATCH', body, type: 'application/merge-patch+json' });
