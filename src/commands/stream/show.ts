import { plainValue } from '../../plain-text.ts';
import type { ServerEvent } from '../../protocol/server-messages.ts';
import { streamLine } from '../../report/score/stream-lines.ts';
import { type StreamView, withEvent } from '../../report/score/stream-view.ts';
import { printDocument } from '../output.ts';

/** A live screen in a terminal, one plain line an event elsewhere. */
export async function startStreamShow(first: StreamView) {
  let view = first;
  const screen = process.stdout.isTTY
    ? (await import('../../report/score/stream-screen.tsx')).startStreamScreen(process.stdout, view)
    : undefined;
  const change = (next: StreamView) => {
    view = next;
    screen?.update(view);
  };
  const print = (line: string) => {
    if (!screen) printDocument(`${line}\n`);
  };
  return {
    view: () => view,
    stop: () => screen?.stop(),
    onSpoken: (spokenMs: number) => change({ ...view, spokenMs: Math.min(spokenMs, view.totalMs) }),
    onDropped(atMs: number) {
      change({ ...view, state: 'reconnecting', drops: view.drops + 1 });
      print(`${(atMs / 1000).toFixed(2).padStart(6)} s  socket lost, resuming`);
    },
    onEvent(event: ServerEvent, atMs: number, latencyMs: number | undefined) {
      change(withEvent(view, event, latencyMs));
      print(streamLine(plainValue(event), atMs, latencyMs));
    },
  };
}
