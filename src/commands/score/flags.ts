/** The flags of `score` as commander hands them over. */
export type ScoreFlags = {
  text: readonly string[];
  phones: readonly string[];
  manifest?: string;
  out?: string;
  features?: true;
  model: string;
  device: string;
  nbest: string;
  json?: true;
  timings?: true;
};
