import { Box, render, Text } from 'ink';
import { formatMs } from '../units.ts';
import type { LoadProgress } from './progress.ts';

export type LoadView = {
  name: string;
  phase: string;
  durationMs: number;
  objectives: readonly string[];
  progress: LoadProgress | undefined;
  /** p95 of feedback latency at each update so far, ms. */
  history: readonly number[];
};

/** The live screen of a load test: a pure picture of one view. */
export function LoadScreen({ view }: { readonly view: LoadView }) {
  const { name, phase, durationMs, objectives, progress, history } = view;
  return (
    <Box flexDirection="column" paddingX={1}>
      <Text>
        <Text bold>{name}</Text> <Text dimColor>{phase}</Text>
      </Text>
      {progress && (
        <>
          <Text>
            {bar(progress.elapsedMs / durationMs, 32)} {formatMs(progress.elapsedMs)} of {formatMs(durationMs)}
          </Text>
          <Row label="learners">
            {`${progress.sessions.arrived} of ${progress.sessions.planned} arrived, ${progress.sessions.ended} ended`}
          </Row>
          <Row label="feedback">{feedback(progress)}</Row>
          <Row label="p95 so far">{sparkline(history, 40)}</Row>
          <Row label="generator">
            {`${progress.framesSent} frames sent, p99 ${shown(progress.sendLatenessP99Ms)} late`}
          </Row>
          {progress.violations > 0 && <Text color="red">{`${progress.violations} protocol violations`}</Text>}
        </>
      )}
      {objectives.map((objective) => (
        <Row key={objective} label="objective">
          {objective}
        </Row>
      ))}
      <Text dimColor>Ctrl-C ends it early with what was measured so far.</Text>
    </Box>
  );
}

/** Draws on `stream` until stopped; only for a terminal. */
export function startLoadScreen(stream: NodeJS.WriteStream, first: LoadView) {
  const screen = render(<LoadScreen view={first} />, { stdout: stream, exitOnCtrlC: false, patchConsole: false });
  return {
    update: (view: LoadView) => screen.rerender(<LoadScreen view={view} />),
    stop: () => {
      screen.clear();
      screen.unmount();
    },
  };
}

function Row({ label, children }: { readonly label: string; readonly children: string }) {
  return (
    <Text>
      <Text dimColor>{label.padEnd(12)}</Text>
      {children}
    </Text>
  );
}

function feedback({ samples, p50Ms, p95Ms, p99Ms }: LoadProgress): string {
  if (samples === 0) return 'none yet';
  return `p50 ${shown(p50Ms)}   p95 ${shown(p95Ms)}   p99 ${shown(p99Ms)}   of ${samples}`;
}

function shown(ms: number | undefined): string {
  return ms === undefined ? '-' : formatMs(ms);
}

function bar(share: number, width: number): string {
  const full = Math.round(Math.min(1, Math.max(0, share)) * width);
  return '█'.repeat(full) + '░'.repeat(width - full);
}

/** The last `width` values as eighths of the largest; a full block for what never came. */
function sparkline(values: readonly number[], width: number): string {
  const shownValues = values.slice(-width);
  const finite = shownValues.filter(Number.isFinite);
  const most = Math.max(1, ...finite);
  const blocks = '▁▂▃▄▅▆▇█';
  return shownValues
    .map((value) => blocks[Number.isFinite(value) ? Math.min(7, Math.floor((value / most) * 8)) : 7])
    .join('');
}
