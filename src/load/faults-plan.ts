/** Something that goes wrong on purpose, ms from the start of the test; decided before it begins, with whom it hits. */
export type FaultPlan = { atMs: number } & (
  | {
      /** The sockets of these learners are cut, as by a lost network; the app resumes by itself. */ kind: 'reconnect';
      learners: readonly number[];
    }
  | {
      /** Nothing passes between these learners and the server, both ways, for a while. */ kind: 'cut-network';
      learners: readonly number[];
      forMs: number;
    }
  | { /** The embedded server's inference worker does nothing for a while. */ kind: 'stall-inference'; forMs: number }
  | { /** The embedded server's inference worker is gone; a good server starts another. */ kind: 'kill-inference' }
  | {
      /** The embedded server's process is stopped (SIGSTOP) for a while, and then goes on. */ kind: 'stop-server';
      forMs: number;
    }
);
