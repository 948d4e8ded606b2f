import {
  addClusterSums,
  type ClusterSums,
  emptyClusterSums,
  SessionTail,
  sessionSums,
} from '../../src/metrics/cluster-sums.ts';

/** The sums of sessions with these latencies, ms; a miss is one above `limitMs`. */
export function sumsOfLatencies(sessions: readonly (readonly number[])[], limitMs = 500): ClusterSums {
  return sumsOf(
    sessions.map((latencies) => {
      const tail = new SessionTail();
      for (const ms of latencies) tail.add(ms);
      return sessionSums(latencies.length, latencies.filter((ms) => ms > limitMs).length, tail);
    }),
  );
}

/** The sums of sessions with so many events and misses, behind which there are no latencies. */
export function sumsOfMisses(sessions: readonly (readonly [samples: number, misses: number])[]): ClusterSums {
  return sumsOf(sessions.map(([samples, misses]) => sessionSums(samples, misses)));
}

function sumsOf(sessions: readonly ClusterSums[]): ClusterSums {
  const sums = emptyClusterSums();
  for (const one of sessions) addClusterSums(sums, one);
  return sums;
}
