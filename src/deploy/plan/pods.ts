import type { Plan } from '../../capacity/plan/sizes.ts';
import { durationText, numberText, percentText } from '../../format.ts';
import type { Figure } from '../document/figure.ts';
import { type DeployInputs, promiseOf } from './inputs.ts';
import { memoryFigure } from './memory.ts';
import type { ScaleFigures } from './scale.ts';

/** What one pod of a role is given, and how it comes and goes. */
export type PodFigures = {
  cpu: Figure;
  memory: Figure;
  drain: Figure;
  grace: Figure;
  /** How many may be gone at once, and how many more there may be while a version goes out. */
  unavailable: Figure;
  surge: Figure;
  startupPeriod: Figure;
  startupFailures: Figure;
};

export type InferenceFigures = PodFigures & { slots: Figure; gpus: Figure | undefined };
export type GatewayFigures = PodFigures & {
  sessions: Figure;
  minReplicas: Figure;
  maxReplicas: Figure;
  targetCpu: Figure;
  settle: Figure;
};

/** Sessions that a pod takes: K streams of a load test are the mean of so many learners. */
export function slotsFigure({ capacity, curve, slo }: DeployInputs, plan: Plan): Figure {
  const { streamsPerPod, spec, byCurve } = plan;
  const { pod, demand } = capacity.value;
  const duty = demand.dutyCycle;
  const own = pod.profile?.slo;
  const limit = own ? { percentile: own.percentile, valueMs: own.value } : promiseOf(slo);
  const how = byCurve
    ? `${streamsPerPod} streams are the most that were measured within p${limit?.percentile} of ${numberText(limit?.valueMs ?? 0)} ms`
    : `a pod carries ${streamsPerPod} streams`;
  const source =
    byCurve && curve ? curve.at(['points']) : capacity.at(['spec', 'pod', pod.profile ? 'profile' : 'streams']);
  return {
    name: 'inference.slots',
    value: Math.max(1, Math.floor(streamsPerPod / duty)),
    why: `${how}, and ${percentText(spec.demand.dutyCycle)} of those inside speak at a time: a slot is a session's, whether it speaks or not`,
    from: [source, capacity.at(['spec', 'demand', 'dutyCycle'])],
  };
}

export function inferenceFigures(
  inputs: DeployInputs,
  plan: Plan,
  slots: Figure,
  scale: ScaleFigures,
): InferenceFigures {
  const { values } = inputs;
  const given = values.value.inference;
  const at = (key: string) => values.at(['spec', 'inference', key]);
  const cores = given.cpu ?? Math.max(1, Math.ceil(plan.streamsPerPod / streamsACore));
  const name = (key: string) => `inference.${key}`;
  return {
    slots,
    gpus:
      given.gpus === 0
        ? undefined
        : {
            name: name('gpus'),
            value: given.gpus,
            why: 'the accelerators that the curve was measured with',
            from: [at('gpus')],
          },
    cpu: {
      name: name('cpu'),
      value: cores,
      why:
        given.cpu === undefined
          ? `${plan.streamsPerPod} streams at ${streamsACore} a core; whole cores, requested and limited alike, are the pod's own (static CPU manager)`
          : "as given; whole cores, requested and limited alike, are the pod's own (static CPU manager)",
      from: given.cpu === undefined ? ['sessions_a_core, docs/protocol.md'] : [at('cpu')],
    },
    memory: memoryFigure(inputs, 'inference', slots),
    ...leaving(inputs, 'inference', 0),
    ...disruption(inputs, 'inference', scale),
    startupPeriod: period(name('startupPeriod')),
    startupFailures: {
      name: name('startupFailures'),
      value: Math.max(6, Math.ceil((3 * plan.spec.pod.startup) / 1000 / startupPeriodSeconds)),
      why: `three times the measured start of ${durationText(plan.spec.pod.startup)}: /readyz is there when every batch size has run once`,
      from: [inputs.capacity.at(['spec', 'pod', 'startup'])],
    },
  };
}

export function gatewayFigures(inputs: DeployInputs, plan: Plan, slots: Figure, scale: ScaleFigures): GatewayFigures {
  const name = (key: string) => `gateway.${key}`;
  const sessions = sessionsFigure(inputs, plan);
  return {
    sessions,
    ...gatewayPods(sessions, slots, scale),
    targetCpu: {
      name: name('targetCpu'),
      value: busyShare * 100,
      why: 'a gateway has one thread of sockets: its core says how full it is, and the rest is for those who come back at once',
      from: ['docs/performance.md'],
    },
    settle: {
      name: name('settle'),
      value: settleSeconds,
      why: 'balancers need a moment to hear that the pod is going; until then it still lets learners in',
      from: ['Kubernetes, endpoints of pods that end'],
    },
    cpu: {
      name: name('cpu'),
      value: 1,
      why: 'one process uses one core',
      from: ['docs/production.md, Several gateways on one machine'],
    },
    memory: memoryFigure(inputs, 'gateway', sessions),
    ...leaving(inputs, 'gateway', settleSeconds),
    ...disruption(inputs, 'gateway', scale),
    startupPeriod: period(name('startupPeriod')),
    startupFailures: {
      name: name('startupFailures'),
      value: 24,
      why: 'two minutes: a gateway is ready when it has found a node, and the first nodes may still be starting',
      from: ['docs/production.md'],
    },
  };
}

/** Sessions that a gateway takes: as many as its one thread of sockets carries. */
export function sessionsFigure({ values, capacity }: DeployInputs, plan: Plan): Figure {
  const given = values.value.gateway.sessions;
  const { dutyCycle } = plan.spec.demand;
  const streams = Math.floor((busyShare * 1000) / gatewayMsPerStreamSecond);
  return {
    name: 'gateway.sessions',
    value: given ?? Math.floor(streams / dutyCycle),
    why:
      given === undefined
        ? `a gateway needs ${gatewayMsPerStreamSecond} ms of its one core for a second of a stream: at ${percentText(busyShare)} busy that is ${streams} streams, and ${percentText(dutyCycle)} of the sessions speak`
        : 'as given',
    from:
      given === undefined
        ? ['docs/performance.md', capacity.at(['spec', 'demand', 'dutyCycle'])]
        : [values.at(['spec', 'gateway', 'sessions'])],
  };
}

function gatewayPods(
  sessions: Figure,
  slots: Figure,
  { min, max, demand }: ScaleFigures,
): Pick<GatewayFigures, 'minReplicas' | 'maxReplicas'> {
  const carried = (pods: number) => Math.max(2, Math.ceil((pods * Number(slots.value)) / Number(sessions.value)));
  const held = (pods: number) =>
    `as many sessions as ${pods} inference pods of ${slots.value} slots take, ${sessions.value} a gateway`;
  const pool = (name: 'minReplicas' | 'maxReplicas', pods: number): Figure => ({
    name: `gateway.${name}`,
    value: carried(pods),
    why: held(pods),
    from: [...demand[name].from, ...sessions.from],
  });
  return { minReplicas: pool('minReplicas', min), maxReplicas: pool('maxReplicas', Math.max(min, max)) };
}

/** Seconds until a role has left, and until it is killed. */
function leaving(
  { values }: DeployInputs,
  role: 'inference' | 'gateway',
  settle: number,
): Pick<PodFigures, 'drain' | 'grace'> {
  const { drain, gracePeriod } = values.value[role];
  const seconds = Math.ceil(drain / 1000);
  const drainAt = values.at(['spec', role, 'drain']);
  const who =
    role === 'inference' ? 'sessions move to other nodes' : 'learners get their finals and move to other gateways';
  const parts =
    settle === 0 ? `the drain of ${seconds} s` : `${settle} s until balancers know, the drain of ${seconds} s`;
  return {
    drain: {
      name: `${role}.drain`,
      value: `${seconds}s`,
      why: `so long ${who} after SIGTERM`,
      from: [drainAt],
    },
    grace: {
      name: `${role}.gracePeriod`,
      value: gracePeriod === undefined ? settle + seconds + marginSeconds : Math.ceil(gracePeriod / 1000),
      why:
        gracePeriod === undefined
          ? `${parts} and ${marginSeconds} s for the process to end: a drain is never cut short`
          : `as given; longer than ${parts}`,
      from: [gracePeriod === undefined ? drainAt : values.at(['spec', role, 'gracePeriod'])],
    },
  };
}

function disruption(
  { capacity }: DeployInputs,
  role: 'inference' | 'gateway',
  { targetShare }: ScaleFigures,
): Pick<PodFigures, 'unavailable' | 'surge'> {
  const spare = Math.max(1, Math.floor(100 * (1 - targetShare / fullShare)));
  const from = [capacity.at(['spec', 'headroom'])];
  return {
    unavailable: {
      name: `${role}.maxUnavailable`,
      value: `${spare}%`,
      why: `at ${percentText(targetShare)} full the others are ${percentText(fullShare)} full while so many are gone`,
      from,
    },
    surge: {
      name: `${role}.maxSurge`,
      value: '10%',
      why: 'a version goes out in ten waves, each beside the pods that it replaces',
      from: ['docs/deploy.md'],
    },
  };
}

function period(name: string): Figure {
  return {
    name,
    value: startupPeriodSeconds,
    why: 'a pod that is ready is used within so many seconds',
    from: ['docs/deploy.md'],
  };
}

/** What one core carries of the shipped model: `sessions_a_core` of the server's limits. */
const streamsACore = 75;
/** CPU of a gateway without a model, a second of one stream (docs/performance.md). */
const gatewayMsPerStreamSecond = 2.4;
const busyShare = 0.6;
const fullShare = 0.9;
const startupPeriodSeconds = 5;
const settleSeconds = 5;
const marginSeconds = 10;
