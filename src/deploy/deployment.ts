import type { CapacityResult } from '../capacity/plan/result.ts';
import { createPlan, type Plan } from '../capacity/plan/sizes.ts';
import type { CapacitySpec } from '../capacity/scenario/spec.ts';
import type { WatchPlay } from '../capacity/simulation/simulate.ts';
import { type Problem, SpeechfbError } from '../errors.ts';
import { prometheusRules } from '../slo/service-level/rules.ts';
import type { Figure, Tree } from './document/figure.ts';
import type { ApiServerSetting } from './manifests/deletion-cost.ts';
import type { AdminSetting } from './manifests/external-metrics.ts';
import { type ManifestFile, manifestFiles } from './manifests/files.ts';
import type { Names } from './manifests/names.ts';
import { canaryFigures } from './plan/canary.ts';
import { contradictions, limitOf } from './plan/contradictions.ts';
import { type DeployInputs, promiseOf } from './plan/inputs.ts';
import { memoryProblems } from './plan/memory.ts';
import { autoscalerOf, playDeployed } from './plan/play.ts';
import { gatewayFigures, inferenceFigures, sessionsFigure, slotsFigure } from './plan/pods.ts';
import { scaleFigures } from './plan/scale.ts';
import { scaleContradictions } from './plan/scale-contradictions.ts';
import { storeFigures } from './plan/store.ts';

/** The manifests of one cluster; `region` undefined: there is one cluster alone. */
export type RegionFiles = { region: string | undefined; files: readonly ManifestFile[] };

export type DeploymentPlan = {
  name: string;
  regions: readonly RegionFiles[];
  /**
   * Plays the scenario with the autoscalers that are deployed; takes what `capacity` takes. `watch`
   * hears how far it has come.
   */
  play(watch?: WatchPlay): CapacityResult;
};

/** What is copied word for word: the canary's file, and rules that ship. */
export type DeployExtras = { canaryText: string | undefined; serviceRules: Tree };

/**
 * The manifests that the inputs ask for. Pure: the same inputs give the same bytes. Throws
 * `contradictory_inputs` with all contradictions at once.
 */
export function planDeployment(inputs: DeployInputs, extras: DeployExtras): DeploymentPlan {
  refuse(contradictions(inputs));
  const spec = measuredSpec(inputs);
  const plan = createPlan(spec, inputs.capacity.inputs);
  const slots = slotsFigure(inputs, plan);
  const scales = plan.regions.map((_, index) => scaleFigures(inputs, plan, slots, index));
  refuse([
    ...scaleContradictions(inputs, plan, scales),
    ...memoryProblems(inputs, 'inference', slots),
    ...memoryProblems(inputs, 'gateway', sessionsFigure(inputs, plan)),
  ]);
  return {
    name: inputs.values.name,
    regions: plan.regions.map((_, index) => ({
      region: spec.regions?.[index]?.name,
      files: filesOf(inputs, extras, { plan, slots, scale: scales[index]!, index }),
    })),
    play: (watch) => playDeployed(inputs, spec, Number(slots.value), scales, watch),
  };
}

function refuse(problems: readonly Problem[]): void {
  if (problems.length === 0) return;
  throw new SpeechfbError('contradictory_inputs', 'the inputs of the deployment contradict one another', { problems });
}

/** The scenario, sized by the curve that was measured where there is one. */
function measuredSpec(inputs: DeployInputs): CapacitySpec {
  const spec = inputs.capacity.value;
  if (!inputs.curve || spec.pod.streams !== undefined) return spec;
  const { percentile, valueMs } = limitOf(spec.pod.profile?.slo, promiseOf(inputs.slo))!;
  const profile = { points: [...inputs.curve.value], slo: { percentile, value: valueMs } };
  return { ...spec, pod: { ...spec.pod, streams: undefined, profile } };
}

type Sized = { plan: Plan; slots: Figure; scale: ReturnType<typeof scaleFigures>; index: number };

/** KEDA has `external.metrics.k8s.io` for itself: there, nobody asks the gateways. */
function adminOf({ values }: DeployInputs, autoscaler: 'hpa' | 'keda'): AdminSetting | undefined {
  if (autoscaler === 'keda') return undefined;
  const { caBundle, frontProxyName } = values.value.admin;
  const from = [values.at(['spec', 'admin', 'caBundle'])];
  return {
    caBundle: caBundle === undefined ? undefined : { name: 'admin.caBundle', value: caBundle, why: 'as given', from },
    frontProxyName,
  };
}

function apiServerOf({ values }: DeployInputs): ApiServerSetting | undefined {
  const given = values.value.apiServer;
  const figures = (key: 'addresses' | 'ports', why: string) =>
    given?.[key].map((value, i) => ({
      name: `apiServer.${key}${i}`,
      value,
      why,
      from: [values.at(['spec', 'apiServer', ...(key === 'addresses' ? [key, i] : [])])],
    }));
  const addresses = figures(
    'addresses',
    'where the API server is: no selector means it, and all other ways out are shut',
  );
  const ports = figures(
    'ports',
    'that of its Service, and that of the server itself: which of them a policy sees depends on the network',
  );
  return addresses && ports && { addresses, ports };
}

function filesOf(inputs: DeployInputs, extras: DeployExtras, { plan, slots, scale, index }: Sized): ManifestFile[] {
  const { values, slo, canary } = inputs;
  const names: Names = { release: values.name, namespace: values.value.namespace };
  const { image, host, gatewayClass, prometheus, rollout, spot } = values.value;
  const autoscaler = autoscalerOf(plan.spec, values.value.autoscaler);
  const played = plan.spec.regions?.[index]?.name;
  const region = values.value.regions?.find(({ name }) => name === played);
  const given = (name: 'image' | 'prometheus', value: string): Figure => ({
    name,
    value,
    why: 'as given',
    from: [values.at(['spec', name])],
  });
  return manifestFiles({
    setting: {
      names,
      image: given('image', image),
      region,
      inference: inferenceFigures(inputs, plan, slots, scale),
      gateway: gatewayFigures(inputs, plan, slots, scale),
      spot: scale.spot && spot,
      admin: adminOf(inputs, autoscaler),
      apiServer: apiServerOf(inputs),
      store: storeFigures(inputs),
    },
    scale,
    edge: { host, gatewayClass },
    prometheus: given('prometheus', prometheus),
    autoscaler,
    rollout: rollout ?? (canary ? 'job' : 'none'),
    canary: canary && canaryFigures(canary),
    canaryText: extras.canaryText,
    rules: [
      { name: 'slo', groups: prometheusRules(slo.value).groups as unknown as Tree },
      { name: 'service', groups: extras.serviceRules },
    ],
  });
}
