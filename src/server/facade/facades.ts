import { deepgramFacade } from './deepgram.ts';
import { openaiFacade } from './openai.ts';
import type { Facade } from './wire.ts';

/** The protocols of others that this server speaks. */
const facades: readonly Facade[] = [deepgramFacade, openaiFacade];

export const facadePaths: readonly string[] = facades.map(({ path }) => path);

/** The protocol that is spoken at a path; undefined: `speechfb.v1`, or none. */
export function facadeAt(path: string): Facade | undefined {
  return facades.find((facade) => facade.path === path);
}
