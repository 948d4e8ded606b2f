import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { helmChart, type Output, plainManifests } from '../../src/deploy/output.ts';
import { manifestsOf, planOf, shippedSources } from '../kit/deployments.ts';
import { temporaryDirectory } from '../kit/temporary-directory.ts';

const folder = temporaryDirectory();
const shipped = shippedSources();
const rollouts = { ...shipped, values: shipped.values.replace('rollout: job', 'rollout: rollouts') };

/** What is copied word for word from a file, and names, where a digit is no number of ours. */
const copied = [
  /apiVersion$/,
  /^PrometheusRule .*: spec\.groups/,
  /^ConfigMap .*: data\./,
  /: .*(mountPath|\.image)$/,
  / metadata\.name$/,
  /APIService .*: spec\.(group|version)$/,
  /: .*apiGroups?(\[0\])?$/,
  /: .*apiVersions\[0\]$/,
];
/** Constants of the formulas, and of what a text must say anyhow. */
const formula =
  /\bor vector\(0\)|, 0\)|> 0\)|\(1 \+ |\) \/ 2\)|\(1 - |result\[0\]|len\(result\) > 0|^0s$|^0\.0\.0\.0:|--[a-z-]+=0\.0\.0\.0:|--host=0\.0\.0\.0|\/v1\//g;

describe.each([
  ['by hand', shipped],
  ['by Argo Rollouts', rollouts],
])('a deployment %s', (_, sources) => {
  const plan = planOf(folder, sources);
  const output = plainManifests(plan);

  it('explains every number that stands in a manifest', () => {
    expect(untraced(output)).toEqual([]);
    expect(numbersOf(output).length).toBeGreaterThan(100);
  });

  it('gives each number a sentence and a place where it is from', () => {
    for (const { name, why, from, places } of output.figures) {
      expect(why.length, name).toBeGreaterThan(5);
      expect(why, name).not.toMatch(/undefined|NaN|Infinity|\.$/);
      expect(from.length, name).toBeGreaterThan(0);
      expect(from.join(), name).not.toMatch(/undefined/);
      expect(places.length, name).toBeGreaterThan(0);
    }
  });

  it('gives no name to two values', () => {
    const names = output.figures.map(({ name }) => name);
    expect(names.filter((name, i) => names.indexOf(name) !== i)).toEqual([]);
  });

  it('is the same, byte by byte, when it is made again', () => {
    expect(plainManifests(planOf(folder, sources))).toEqual(output);
    expect(helmChart(planOf(folder, sources), '1.2.3')).toEqual(helmChart(plan, '1.2.3'));
  });

  it('is a chart that says the same once its values are filled in', () => {
    const { files } = helmChart(plan, '1.2.3');
    const values = parseAllDocuments(files.find(({ path }) => path === 'values.yaml')!.text)[0]!.toJS();
    const filled = files
      .filter(({ path }) => path.startsWith('templates/'))
      .flatMap(({ text }) => parseAllDocuments(fill(text, values)).map((document) => document.toJS() as unknown));
    expect(filled).toEqual(manifestsOf(plan));
  });
});

it('fails when a number has no reason', () => {
  const output = plainManifests(planOf(folder, shipped));
  const files = output.files.map(({ path, text }) => ({ path, text: text.replace('maxSkew: 1', 'maxSkew: 2') }));
  expect(untraced({ ...output, files })[0]).toContain('topologySpreadConstraints[0].maxSkew: 2');
});

/** Numbers that no figure of their place has. */
function untraced(output: Output): string[] {
  const at = new Map<string, string[]>();
  for (const { places, value } of output.figures)
    for (const place of places) at.set(place, [...(at.get(place) ?? []), String(value)]);
  return numbersOf(output).flatMap(({ place, text }) => {
    const known = (at.get(place) ?? []).sort((a, b) => b.length - a.length);
    const rest = known.reduce((left, value) => left.replaceAll(value, ''), text).replaceAll(formula, '');
    return /\d/.test(rest) ? [`${place}: ${text}`] : [];
  });
}

/** Every leaf of every manifest that has a digit in it. */
function numbersOf({ files }: Output): { place: string; text: string }[] {
  return files
    .filter(({ path }) => !path.endsWith('kustomization.yaml'))
    .flatMap(({ path, text }) =>
      parseAllDocuments(text).flatMap((document) => {
        const manifest = document.toJS() as { kind: string; metadata: { name: string } };
        const here = `${manifest.kind} ${manifest.metadata.name}`;
        return leaves(manifest, '').flatMap((leaf) => {
          const isCopied = copied.some((one) => one.test(`${here}: ${leaf.path}`) || one.test(` ${leaf.path}`));
          return isCopied || !/\d/.test(leaf.text) ? [] : [{ place: `${path}: ${here} ${leaf.path}`, text: leaf.text }];
        });
      }),
    );
}

function leaves(value: unknown, path: string): { path: string; text: string }[] {
  if (Array.isArray(value)) return value.flatMap((each, i) => leaves(each, `${path}[${i}]`));
  if (typeof value !== 'object' || value === null) return [{ path, text: String(value) }];
  return Object.entries(value).flatMap(([key, each]) => {
    const name = /^[\w-]+$/.test(key) ? key : `"${key}"`;
    return leaves(each, path === '' ? name : `${path}.${name}`);
  });
}

/** What helm makes of the few actions that the templates use. */
function fill(text: string, values: Record<string, unknown>): string {
  const of = (name: string) =>
    name.split('.').reduce<unknown>((at, key) => (at as Record<string, unknown>)[key], values);
  return text
    .replaceAll(/^\{\{- (if .*|end) \}\}\n/gm, '')
    .replaceAll('{{ .Release.Namespace }}', 'speechfb')
    .replaceAll(
      /\{\{ \.Values\.([\w.]+)( \| int64)?( \| quote)? \}\}/g,
      (_, name: string, int?: string, quote?: string) => {
        // As helm has it: numbers are floats, and large ones have an exponent.
        const value = of(name);
        const isLarge = typeof value === 'number' && int === undefined && Math.abs(value) >= 1e6;
        const shown = isLarge ? value.toExponential() : String(value);
        return quote ? JSON.stringify(shown) : shown;
      },
    )
    .replaceAll('{{ "{{" }}', '{{');
}
