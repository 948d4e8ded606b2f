import type { LoadProgress } from '../../load/generator/live-run.ts';
import type { LoadScenario } from '../../load/scenario/scenario.ts';
import { progressLine } from '../../report/load/progress.ts';
import type { LoadView } from '../../report/load/screen.tsx';
import { say } from '../output.ts';

/**
 * Shows a load test while it runs, on stderr: a live screen in a terminal, a plain line each five
 * seconds elsewhere.
 */
export async function startLoadProgress(scenario: LoadScenario) {
  return process.stderr.isTTY ? await liveProgress(scenario) : plainProgress(scenario);
}

function plainProgress({ metadata, spec }: LoadScenario) {
  let shownMs = -plainIntervalMs;
  const sayHere = (text: string) => say(`${metadata.name}: ${text}`);
  return {
    onPhase: sayHere,
    onProgress(progress: LoadProgress) {
      if (progress.elapsedMs - shownMs < plainIntervalMs) return;
      shownMs = progress.elapsedMs;
      sayHere(progressLine(progress, spec.duration));
    },
    stop() {},
  };
}

async function liveProgress({ metadata, spec }: LoadScenario) {
  const { startLoadScreen } = await import('../../report/load/screen.tsx');
  let view: LoadView = {
    name: metadata.name,
    phase: '',
    durationMs: spec.duration,
    objectives: spec.objectives.map(({ source }) => source),
    history: [],
  };
  const screen = startLoadScreen(process.stderr, view);
  const show = (change: Partial<LoadView>) => {
    view = { ...view, ...change };
    screen.update(view);
  };
  return {
    onPhase: (phase: string) => show({ phase }),
    onProgress: (progress: LoadProgress) => show({ history: [...view.history.slice(-shownHistory), progress] }),
    stop: screen.stop,
  };
}

const plainIntervalMs = 5000;
/** Moments that a sparkline has room for. */
const shownHistory = 60;
