import { attacks } from './attacks.ts';
import type { Target } from './target.ts';

// The process of one attack, which ends with SIGTERM and then says what it saw: attacker.js NAME
// URL [TOKEN]
const [name, url, token] = process.argv.slice(2);
const attack = attacks.find((one) => one.name === name);
if (!attack || url === undefined) throw new Error(`usage: attacker.js NAME URL [TOKEN], NAME one of the attacks`);
const target: Target = { url, token, seen: { sent: 0, received: 0, answers: new Map() } };
process.on('SIGTERM', () => {
  const { sent, received, answers } = target.seen;
  process.stdout.write(`${JSON.stringify({ sent, received, answers: Object.fromEntries(answers) })}\n`, () =>
    process.exit(0),
  );
});
attack.run(target);
