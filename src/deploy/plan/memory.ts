import { type MemoryPoint, peakMebibytes } from '../../capacity/scenario/memory.ts';
import type { Problem } from '../../errors.ts';
import { durationText, numberText, percentText } from '../../format.ts';
import type { Figure } from '../document/figure.ts';
import type { DeployInputs } from './inputs.ts';

type Role = 'inference' | 'gateway';

/**
 * What a pod of a role asks for and is held to: what was measured at as many sessions as it takes,
 * and a margin.
 */
export function memoryFigure(inputs: DeployInputs, role: Role, sessions: Figure): Figure {
  const { values, capacity } = inputs;
  const given = values.value[role].memory;
  const name = `${role}.memory`;
  const at = values.at(['spec', role, 'memory']);
  const need = needOf(inputs, role, Number(sessions.value));
  const held = `${numberText(Math.ceil(need.mebibytes))} Mi are what ${sessions.value} sessions hold at the most, ${need.how}`;
  if (given !== undefined) return { name, value: given, why: `as given; ${held}`, from: [at, need.from] };
  const asked = Math.ceil((need.mebibytes * (1 + marginShare)) / stepMebibytes) * stepMebibytes;
  return {
    name,
    value: `${asked}Mi`,
    why: `${held}; ${percentText(marginShare)} more for what no measurement saw, in steps of ${stepMebibytes} Mi`,
    from: [need.from, ...(need.isOfTurns ? [capacity.at(['spec', 'demand', 'turn'])] : []), ...sessions.from],
  };
}

/** Pods that would be killed by the kernel when they are as full as they may be. */
export function memoryProblems(inputs: DeployInputs, role: Role, sessions: Figure): Problem[] {
  const { values } = inputs;
  const given = values.value[role].memory;
  if (given === undefined) return [];
  const { mebibytes, how, from } = needOf(inputs, role, Number(sessions.value));
  if (mebibytesOf(given) >= mebibytes) return [];
  return [
    {
      where: values.at(['spec', role, 'memory']),
      message:
        `${role}.memory: ${given} is less than the ${Math.ceil(mebibytes)} Mi that ${sessions.value} sessions hold, ${how} ` +
        `(${from}): a full pod would be killed; write more, or in pod.memory what was measured`,
    },
  ];
}

type Need = { mebibytes: number; how: string; from: string; isOfTurns: boolean };

function needOf({ capacity }: DeployInputs, role: Role, sessions: number): Need {
  const { demand, pod } = capacity.value;
  const own = pod.memory?.[role];
  const points = own ?? shipped[role];
  const turnMs = own ? pod.memory!.turn : shipped.turnMs;
  // A node keeps no sound.
  const longerMs = role === 'gateway' ? Math.max(0, demand.turn - turnMs) : 0;
  const sound = (sessions * demand.dutyCycle * (longerMs / 1000) * soundBytesPerSecond) / 1_048_576;
  const [first, last] = [points[0]!, points.at(-1)!];
  return {
    mebibytes: peakMebibytes(points, sessions) + sound,
    how:
      `by a measurement of ${first.peak} Mi at ${first.sessions} and ${last.peak} Mi at ${last.sessions} sessions` +
      (longerMs > 0 ? `, and ${durationText(longerMs)} more sound of each who speaks` : ''),
    from: own ? capacity.at(['spec', 'pod', 'memory', role]) : 'docs/deploy.md, Memory',
    isOfTurns: longerMs > 0,
  };
}

function mebibytesOf(quantity: string): number {
  return Number.parseInt(quantity, 10) * (quantity.endsWith('Gi') ? 1024 : 1);
}

/**
 * The most that a node and a gateway of the shipped model held in five runs of `npm run bench
 * pod-memory`, on a machine so busy that sound piled up: more than they hold in time.
 */
const shipped: { turnMs: number } & Record<Role, readonly MemoryPoint[]> = {
  turnMs: 30_000,
  inference: [
    { sessions: 0, peak: 238 },
    { sessions: 50, peak: 321 },
    { sessions: 100, peak: 385 },
    { sessions: 200, peak: 428 },
  ],
  gateway: [
    { sessions: 0, peak: 141 },
    { sessions: 50, peak: 352 },
    { sessions: 100, peak: 284 },
    { sessions: 200, peak: 426 },
  ],
};
/** What a gateway keeps of an open text: 16,000 samples a second of 2 bytes. */
const soundBytesPerSecond = 32_000;
const marginShare = 0.25;
const stepMebibytes = 128;
