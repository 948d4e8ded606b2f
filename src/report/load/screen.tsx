import { Box, render, Text } from 'ink';
import { formatMs } from '../../format.ts';
import type { LoadProgress } from '../../load/generator/live-run.ts';
import { plainValue } from '../../plain-text.ts';
import type { ObjectiveVerdict } from '../../slo/objective/objective-verdict.ts';
import { formatValue } from '../terminal/format-value.ts';
import { bar, sparkline } from '../terminal/sparkline.ts';
import { clockText } from './progress.ts';

export type LoadView = {
  name: string;
  phase: string;
  durationMs: number;
  /** As written, for the time before the first progress. */
  objectives: readonly string[];
  /** In order of time, the last one is now. */
  history: readonly LoadProgress[];
};

/**
 * The live screen of a load test: a pure picture of one view. What a narrow terminal has no room
 * for is cut off.
 */
export function LoadScreen({ view }: { readonly view: LoadView }) {
  const progress = view.history.at(-1);
  return (
    <Box flexDirection="column" paddingX={1}>
      <Text wrap="truncate">
        <Text bold>{view.name}</Text> <Text dimColor>{view.phase}</Text>
      </Text>
      {progress && (
        <>
          <Text wrap="truncate">{clockLine(progress, view.durationMs)}</Text>
          <Sessions progress={progress} history={view.history} />
          <Latencies progress={progress} history={view.history} />
          <Row label="generator">{generatorLine(progress)}</Row>
          {progress.violations > 0 && <Text color="red">{`${progress.violations} protocol violations`}</Text>}
        </>
      )}
      <Text> </Text>
      {progress
        ? progress.objectives.map((one) => <Objective key={one.objective} verdict={one} />)
        : view.objectives.map((objective) => <Text key={objective} wrap="truncate">{`  ${objective}`}</Text>)}
      <Text dimColor>Ctrl-C ends it early with what was measured so far.</Text>
    </Box>
  );
}

/** Draws on `stream` until stopped; only for a terminal. */
export function startLoadScreen(stream: NodeJS.WriteStream, first: LoadView) {
  const screen = render(<LoadScreen view={plainValue(first)} />, {
    stdout: stream,
    exitOnCtrlC: false,
    patchConsole: false,
  });
  return {
    update: (view: LoadView) => screen.rerender(<LoadScreen view={plainValue(view)} />),
    stop: () => {
      screen.clear();
      screen.unmount();
    },
  };
}

function Sessions({
  progress,
  history,
}: {
  readonly progress: LoadProgress;
  readonly history: readonly LoadProgress[];
}) {
  const { planned, arrived, ended, refused, died } = progress.sessions;
  const speaking = history.map(({ sessions }) => sessions.arrived - sessions.ended);
  const lost = [refused > 0 ? `${refused} refused` : '', died > 0 ? `${died} died` : ''].filter(Boolean).join(', ');
  return (
    <Text wrap="truncate">
      <Text dimColor>{'learners'.padEnd(labelWidth)}</Text>
      {`${arrived - ended} speaking  ${sparkline(speaking, sparkWidth)}  ${arrived} of ${planned} arrived, ${ended} ended`}
      {lost && <Text color="red">{`, ${lost}`}</Text>}
    </Text>
  );
}

/**
 * One row for the whole and one for each stage and network: quantiles so far, and the course of the
 * p95.
 */
function Latencies({
  progress,
  history,
}: {
  readonly progress: LoadProgress;
  readonly history: readonly LoadProgress[];
}) {
  const { samples, never, p50Ms, p95Ms, p99Ms, stages, profiles } = progress;
  if (samples === 0) return <Row label="feedback">none yet</Row>;
  const measured = stages.filter((one) => one.p95Ms !== undefined && one.p95Ms >= worthShowingMs);
  const course = (stage: string) => history.map((then) => then.stages.find((one) => one.stage === stage)?.recentP95Ms);
  return (
    <>
      <Text dimColor wrap="truncate">
        {columns('', 'p50', 'p95', 'p99', 'p95 of the last moments')}
      </Text>
      <Text wrap="truncate">
        {columns('feedback', shown(p50Ms), shown(p95Ms), shown(p99Ms), '')}
        {sparkline(
          history.map((then) => then.recentP95Ms),
          sparkWidth,
        )}
        <Text dimColor>{`  of ${samples}`}</Text>
        {never > 0 && <Text color="red">{`, ${never} never came`}</Text>}
      </Text>
      {measured.map(({ stage, ...one }) => (
        <Text key={stage} wrap="truncate">
          {columns(`  ${stage}`, shown(one.p50Ms), shown(one.p95Ms), '', sparkline(course(stage), sparkWidth))}
        </Text>
      ))}
      {profiles.length > 1 &&
        profiles.map((one) => (
          <Text key={one.profile} wrap="truncate">
            {columns(`  on ${one.profile}`, shown(one.p50Ms), shown(one.p95Ms), '', '')}
            <Text dimColor>{`of ${one.samples}`}</Text>
          </Text>
        ))}
    </>
  );
}

function Objective({ verdict }: { readonly verdict: ObjectiveVerdict }) {
  const { mark, color } = marks[verdict.verdict];
  const { value, unit, reason } = verdict;
  const so = verdict.verdict === 'invalid' ? `not yet: ${reason}` : verdict.verdict;
  return (
    <Text wrap="truncate">
      <Text color={color}>{`${mark} `}</Text>
      {verdict.objective}
      <Text dimColor>{value === undefined ? '   no data yet' : `   ${formatValue(value, unit)} so far, ${so}`}</Text>
    </Text>
  );
}

function Row({ label, children }: { readonly label: string; readonly children: string }) {
  return (
    <Text wrap="truncate">
      <Text dimColor>{label.padEnd(labelWidth)}</Text>
      {children}
    </Text>
  );
}

const labelWidth = 16;
const sparkWidth = 30;
/**
 * Stages below this at p95 explain nothing while a test runs; the report at the end has them all.
 */
const worthShowingMs = 0.1;

const marks = {
  pass: { mark: '✓', color: 'green' },
  fail: { mark: '✗', color: 'red' },
  invalid: { mark: '…', color: 'yellow' },
} as const;

function clockLine(progress: LoadProgress, durationMs: number): string {
  const { elapsedMs, leftMs } = progress;
  const left = leftMs > 0 ? `, ${formatMs(leftMs)} left` : '';
  return `${bar(elapsedMs / durationMs, 20)} ${clockText(progress, durationMs)}${left}`;
}

function generatorLine({ framesSent, sendLatenessP99Ms, utterances }: LoadProgress): string {
  return `${framesSent} frames sent, p99 ${shown(sendLatenessP99Ms)} late; ${utterances} utterances finished`;
}

function columns(label: string, p50: string, p95: string, p99: string, rest: string): string {
  return `${label.padEnd(labelWidth)}${p50.padStart(8)}${p95.padStart(9)}${p99.padStart(9)}  ${rest}`;
}

function shown(ms: number | undefined): string {
  return ms === undefined ? '-' : formatMs(ms);
}
