import { yamlText } from '../config/yaml-text.ts';
import type { DeploymentPlan, RegionFiles } from './deployment.ts';
import type { Figure, TreeMap } from './document/figure.ts';
import { documentsText, type PlacedFigure, valuesText } from './document/yaml.ts';

/** A file to be written, below the folder that was asked for. */
export type OutputFile = { path: string; text: string };

/** A figure, and everywhere it stands. */
export type TracedFigure = Figure & { places: readonly string[] };

export type Output = { files: readonly OutputFile[]; figures: readonly TracedFigure[] };

/** Plain manifests: a folder a region, where there are several, each with its kustomization. */
export function plainManifests({ regions }: DeploymentPlan): Output {
  const traced = new Traces();
  const files = regions.flatMap((region) => {
    const folder = region.region === undefined ? '' : `${region.region}/`;
    const written = region.files.map(({ name, documents }) => {
      const { text, placed } = documentsText(documents, 'plain');
      traced.add(`${folder}${name}`, placed);
      return { path: `${folder}${name}`, text: header + text };
    });
    return [...written, { path: `${folder}kustomization.yaml`, text: kustomization(region) }];
  });
  return { files, figures: traced.all() };
}

/** A chart of the first region's shape, and the values of each region that differ from it. */
export function helmChart({ name, regions }: DeploymentPlan, version: string): Output {
  const traced = new Traces();
  const [first, ...others] = regions;
  const namespace = namespaceOf(first!);
  const templates = first!.files.map(({ name: file, documents, step }) => {
    const { text, placed } = documentsText(documents, 'helm');
    traced.add(`templates/${file}`, placed);
    return { path: `templates/${file}`, text: guarded(withNamespace(text, namespace), step) };
  });
  const figures = figuresOf(first!);
  const own = regions.length > 1 ? [{ path: `values-${first!.region}.yaml`, text: regionValues(first!, figures) }] : [];
  return {
    files: [
      {
        path: 'Chart.yaml',
        text:
          header +
          yamlText({
            apiVersion: 'v2',
            name,
            version,
            appVersion: version,
            type: 'application',
            description: chartAbout,
          }),
      },
      { path: 'values.yaml', text: valuesText([stepFigure, ...figures], header) },
      ...own,
      ...others.map((region) => ({ path: `values-${region.region}.yaml`, text: regionValues(region, figures) })),
      ...templates,
    ],
    figures: [...traced.all(), { ...stepFigure, places: ['values.yaml canaryStep'] }],
  };
}

/** Each figure once, with all its places. Two values under one name would be a fault of ours. */
class Traces {
  readonly #figures = new Map<string, Figure & { places: string[] }>();

  add(file: string, placed: readonly PlacedFigure[]): void {
    for (const { place, figure } of placed) {
      const key = `${figure.name}=${figure.value}`;
      const known = this.#figures.get(key) ?? { ...figure, places: [] };
      known.places.push(`${file}: ${place}`);
      this.#figures.set(key, known);
    }
  }

  all(): TracedFigure[] {
    return [...this.#figures.values()];
  }
}

function figuresOf({ files }: RegionFiles): Figure[] {
  const byName = new Map<string, Figure>();
  for (const { documents } of files) {
    for (const { figure } of documentsText(documents, 'plain').placed) byName.set(figure.name, figure);
  }
  return [...byName.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

function regionValues(region: RegionFiles, usual: readonly Figure[]): string {
  const values = new Map(usual.map(({ name, value }) => [name, value]));
  const own = figuresOf(region).filter(({ name, value }) => values.get(name) !== value);
  return own.length === 0 ? `${header}{}\n` : valuesText(own, header);
}

function kustomization({ files }: RegionFiles): string {
  const resources = files.filter(({ step }) => step === undefined || step === 0).map(({ name }) => name);
  return header + yamlText({ apiVersion: 'kustomize.config.k8s.io/v1beta1', kind: 'Kustomization', resources });
}

function namespaceOf({ files }: RegionFiles): string {
  const metadata = files.flatMap(({ documents }) => documents).map((one) => one.metadata as TreeMap);
  return String(metadata.find((one) => one.namespace !== undefined)?.namespace);
}

function withNamespace(text: string, namespace: string): string {
  const own = '$1 {{ .Release.Namespace }}';
  return text
    .replaceAll(new RegExp(`^(\\s+namespace:) ${namespace}$`, 'gm'), own)
    .replaceAll(new RegExp(`^(\\s+cert-manager\\.io/inject-ca-from:) ${namespace}(?=/)`, 'gm'), own);
}

/** A step of a canary by hand is chosen by a value, and takes the place of the plain route. */
function guarded(text: string, step: number | undefined): string {
  return step === undefined ? text : `{{- if eq (int .Values.canaryStep) ${step} }}\n${text}{{- end }}\n`;
}

const stepFigure: Figure = {
  name: 'canaryStep',
  value: 0,
  why: 'which step of a canary by hand is applied: --set canaryStep=1; none',
  from: ['docs/deploy.md'],
};

const header =
  '# Made by "speechfb deploy"; edit what it was made of, not this. --explain says where each number is from.\n';
const chartAbout = 'Live speech feedback: gateways, inference nodes, and what scales, guards and watches them.';
