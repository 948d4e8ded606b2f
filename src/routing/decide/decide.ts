import type { CanarySpec } from '../policy/canary.ts';
import { chainFrom } from '../policy/chain.ts';
import type { PolicySpec, RoutedBackend, RoutingRule, When } from '../policy/spec.ts';

/** What is known of a session when it starts, and of the moment. */
export type RouteRequest = {
  /** BCP 47; rules look at its primary subtag. */
  language: string;
  tenant?: string | undefined;
  device?: 'low' | 'mid' | 'high' | undefined;
  lane: 'live' | 'batch';
  /** Places taken over places there are, on machines of our own. */
  load: number;
  /** What the managed backends cost an hour now, dollars. */
  spend: number;
  /** Whether machines of our own are still starting. */
  cold: boolean;
  /** In [0, 1), the same for a session however often it resumes: it decides among shares. */
  draw: number;
  /**
   * The same for the canary of the policy, as `canaryDrawOf` gives it; undefined: the session takes
   * no part in it.
   */
  canaryDraw?: number | undefined;
};

/** Why a backend cannot take a session now. */
export type Hindrance = 'full' | 'broken' | 'over its cost';

export type RouteDecision = {
  rule: RoutingRule;
  /** The first matter of each rule above that does not fit, in the words of the policy. */
  passedOver: { rule: string; why: string }[];
  /** What the shares of the rule gave. */
  drawn: string;
  /**
   * Whether it is one of the canary's sessions, or one of those that they are compared with;
   * undefined: neither.
   */
  variant: 'canary' | 'baseline' | undefined;
  /** Undefined: all of its chain are hindered, and the session is refused. */
  backend: RoutedBackend | undefined;
  hindered: { backend: string; why: Hindrance }[];
};

/**
 * The backend of one session: the first rule that fits, a draw among its shares, then along the
 * fallbacks to the first that can. A sound policy has a rule for each session.
 */
export function decideRoute(
  { backends, rules, canary }: PolicySpec,
  request: RouteRequest,
  hindranceOf: (backend: RoutedBackend) => Hindrance | undefined,
): RouteDecision {
  const passedOver: RouteDecision['passedOver'] = [];
  for (const rule of rules) {
    const why = misfit(rule.when, request);
    if (why !== undefined) {
      passedOver.push({ rule: rule.name, why });
      continue;
    }
    const drawn = drawShare(rule.to, request.draw);
    const variant = variantOf(canary, drawn, request.canaryDraw);
    const first = variant === 'canary' ? canary!.to : drawn;
    const hindered: RouteDecision['hindered'] = [];
    for (const backend of chainFrom(first, backends)) {
      const hindrance = hindranceOf(backend);
      if (hindrance === undefined) return { rule, passedOver, drawn, variant, backend, hindered };
      hindered.push({ backend: backend.name, why: hindrance });
    }
    return { rule, passedOver, drawn, variant, backend: undefined, hindered };
  }
  throw new RangeError('a policy without a rule for this session was not checked');
}

function variantOf(canary: CanarySpec | undefined, drawn: string, draw: number | undefined): RouteDecision['variant'] {
  if (!canary || canary.from !== drawn || draw === undefined) return undefined;
  return draw < canary.share ? 'canary' : 'baseline';
}

/** The first matter in which a request does not fit; undefined when it does. */
function misfit(when: When = {}, request: RouteRequest): string | undefined {
  const language = request.language.split('-')[0]!.toLowerCase();
  const { tenant, device, lane, load, spend, cold } = request;
  if (when.language && !when.language.includes(language))
    return `language ${language} is not ${when.language.join(', ')}`;
  if (when.tenant && !(tenant !== undefined && when.tenant.includes(tenant)))
    return `tenant ${tenant ?? '(none)'} is not ${when.tenant.join(', ')}`;
  if (when.device && !(device !== undefined && when.device.includes(device)))
    return `device ${device ?? '(unknown)'} is not ${when.device.join(', ')}`;
  if (when.lane && !when.lane.includes(lane)) return `lane ${lane} is not ${when.lane.join(', ')}`;
  if (when.cold !== undefined && when.cold !== cold)
    return cold ? 'machines are still starting' : 'no machine is starting';
  return outside('load', when.load, load, share) ?? outside('spend', when.spend, spend, money);
}

function outside(
  matter: string,
  range: When['load'],
  value: number,
  write: (value: number) => string,
): string | undefined {
  if (!range || (value >= range.from && value < range.below)) return undefined;
  return value < range.from
    ? `${matter} ${write(value)} is below ${write(range.from)}`
    : `${matter} ${write(value)} is not below ${write(range.below)}`;
}

const share = (value: number): string => `${Number((value * 100).toPrecision(6))}%`;
const money = (value: number): string => `$${Number(value.toPrecision(6))}/h`;

/** The backend in whose stretch of [0, 1) the draw lies; shares stand in the order of the file. */
function drawShare(to: RoutingRule['to'], draw: number): string {
  const shares = Object.entries(to).filter(([, part]) => part > 0);
  let begin = 0;
  for (const [name, part] of shares) {
    begin += part;
    if (draw < begin) return name;
  }
  return shares.at(-1)![0];
}
