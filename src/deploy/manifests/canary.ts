import { type Figure, type FigureText, type Tree, type TreeMap, written } from '../document/figure.ts';
import type { CanaryFigures, StepFigures } from '../plan/canary.ts';
import { metadata, type Names, nameOfPart, type Part } from './names.ts';

type Setting = { names: Names; canary: CanaryFigures; prometheus: Figure };

/**
 * The two judgements of a canary: Wald's test since a step began, which says fine, worse or
 * neither, and the rollback rule, which runs all the while.
 */
export function analysisTemplates({ names, canary, prometheus }: Setting): TreeMap[] {
  const { fine, worse, burnShare, queries } = canary;
  const provider = (query: FigureText): Tree => ({ prometheus: { address: prometheus, query } });
  const heard = 'len(result) > 0 && !isNaN(result[0])';
  const template = (name: string, args: Tree | undefined, metric: TreeMap): TreeMap => ({
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'AnalysisTemplate',
    metadata: metadata(names, `${names.release}-${name}`),
    spec: { ...(args && { args }), metrics: [metric] },
  });
  return [
    template('sequential', [{ name: 'window' }, { name: 'seconds' }, { name: 'looks' }], {
      name: 'sequential',
      interval: canary.every,
      count: '{{args.looks}}',
      // Without data, or between the bounds, it is neither: inconclusive.
      successCondition: written`${heard} && result[0] <= ${fine}`,
      failureCondition: written`${heard} && result[0] >= ${worse}`,
      failureLimit: canary.none,
      consecutiveSuccessLimit: canary.one,
      inconclusiveLimit: '{{args.looks}}',
      provider: provider(queries.logRatio),
    }),
    template('rollback', undefined, {
      name: 'rollback',
      interval: canary.every,
      initialDelay: canary.over,
      successCondition: written`${heard} && result[0] <= ${burnShare}`,
      failureCondition: written`${heard} && result[0] > ${burnShare}`,
      failureLimit: canary.none,
      inconclusiveLimit: canary.allLooks,
      // Where the old version burns as fast it is not this release alone: no sample, no verdict.
      provider: provider(joined(queries.burn, written` unless (`, queries.baselineBurn, written` > ${burnShare})`)),
    }),
  ];
}

/** A canary of Argo Rollouts: weights by the Gateway API for gateways, by pods for nodes. */
export function canaryStrategy({ names, canary }: Setting, role: Part['role']): Tree {
  const stable = nameOfPart(names, { role: 'gateway' });
  const gatewayApi = { httpRoute: names.release, namespace: names.namespace };
  const isGateway = role === 'gateway';
  return {
    canary: {
      ...(isGateway && {
        stableService: stable,
        canaryService: `${stable}-canary`,
        trafficRouting: { plugins: { 'argoproj-labs/gatewayAPI': gatewayApi } },
      }),
      stableMetadata: { labels: { 'speechfb.dev/track': 'stable' } },
      canaryMetadata: { labels: { 'speechfb.dev/track': 'canary' } },
      maxUnavailable: canary.none,
      ...(isGateway && { analysis: { templates: [{ templateName: `${names.release}-rollback` }] } }),
      steps: canary.steps.flatMap((step) => [
        { setWeight: step.weight },
        { pause: { duration: step.hold } },
        ...(isGateway ? [analysisStep(names, step)] : []),
      ]),
    },
  };
}

/** The new version whole beside the old one, judged before anybody is sent to it. */
export function blueGreenStrategy(setting: Setting, role: Part['role'], grace: Figure): Tree {
  const { names, canary } = setting;
  const name = nameOfPart(names, { role: 'gateway' });
  const last = canary.steps.at(-1)!;
  if (role === 'inference') {
    // Nodes are found by name, not by a Service of one version: they go out wave by wave.
    return canaryStrategy(setting, 'inference');
  }
  return {
    blueGreen: {
      activeService: name,
      previewService: `${name}-canary`,
      activeMetadata: { labels: { 'speechfb.dev/track': 'stable' } },
      previewMetadata: { labels: { 'speechfb.dev/track': 'canary' } },
      autoPromotionEnabled: false,
      scaleDownDelaySeconds: grace,
      postPromotionAnalysis: {
        templates: [{ templateName: `${names.release}-sequential` }],
        args: argumentsOf(last),
      },
    },
  };
}

function analysisStep({ release }: Names, step: StepFigures): TreeMap {
  return { analysis: { templates: [{ templateName: `${release}-sequential` }], args: argumentsOf(step) } };
}

function argumentsOf({ hold, seconds, looks }: StepFigures): Tree[] {
  return [
    { name: 'window', value: hold },
    { name: 'seconds', value: written`${seconds}` },
    { name: 'looks', value: written`${looks}` },
  ];
}

const exits = {
  hold: exit('hold', 98, 'hold: nothing is proven yet, so it is asked again and no failure is counted'),
  rollback: exit('rollback', 99, 'roll back: the Job has failed at once'),
};

/**
 * The same judge where there are no Rollouts: `speechfb canary judge` as a Job. Its exit code is
 * the verdict: complete is promote, failed is roll back or too late, and as long as it runs, hold.
 */
export function judgeJob(
  { names, canary, prometheus }: Setting,
  step: StepFigures,
  { image, pod }: { image: Figure; pod: TreeMap },
): TreeMap {
  const name = `${names.release}-judge`;
  const judge = [
    'canary',
    'judge',
    '/etc/speechfb/canary/canary.yaml',
    written`--prometheus=${prometheus}`,
    written`--since=${step.hold}`,
    '--json',
    ...(step.isLast ? ['--alone'] : []),
  ];
  const onExitCodes = (code: Figure): Tree => ({ containerName: 'judge', operator: 'In', values: [code] });
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: metadata(names, name),
    spec: {
      backoffLimit: canary.none,
      activeDeadlineSeconds: step.deadline,
      podFailurePolicy: {
        rules: [
          { action: 'FailJob', onExitCodes: onExitCodes(exits.rollback) },
          { action: 'Ignore', onExitCodes: onExitCodes(exits.hold) },
        ],
      },
      template: {
        spec: {
          ...pod,
          restartPolicy: 'Never',
          containers: [
            {
              name: 'judge',
              image,
              args: judge,
              securityContext: {
                allowPrivilegeEscalation: false,
                readOnlyRootFilesystem: true,
                capabilities: { drop: ['ALL'] },
              },
              volumeMounts: [{ name: 'canary', mountPath: '/etc/speechfb/canary', readOnly: true }],
            },
          ],
          volumes: [{ name: 'canary', configMap: { name } }],
        },
      },
    },
  };
}

/** The analysis that the Job judges by, word for word. */
export function judgeConfig(names: Names, text: string): TreeMap {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: metadata(names, `${names.release}-judge`),
    data: { 'canary.yaml': text },
  };
}

function exit(name: string, value: number, why: string): Figure {
  return { name: `judge.${name}`, value, why, from: ['docs/canary.md, exit codes'] };
}

function joined(...texts: readonly FigureText[]): FigureText {
  return { parts: texts.flatMap(({ parts }) => parts) };
}
