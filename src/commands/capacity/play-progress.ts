import type { WatchPlay } from '../../capacity/simulation/simulate.ts';
import { durationText, percentText } from '../../format.ts';
import { say } from '../output.ts';

/**
 * Says on stderr how far a simulation has come, once it has taken two seconds, and then every five:
 * what is over sooner says nothing.
 */
export function playProgress(tell = say, nowMs = () => performance.now()): WatchPlay {
  let saysAtMs = nowMs() + 2000;
  return (playedMs, durationMs) => {
    if (nowMs() < saysAtMs) return;
    saysAtMs = nowMs() + 5000;
    tell(`speechfb: simulated ${percentText(playedMs / durationMs)} of ${durationText(durationMs)}`);
  };
}
