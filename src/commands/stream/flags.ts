export type StreamFlags = {
  text: string;
  url: string;
  tokenFile?: string;
  cutAt?: string;
  emitInterval: string;
  readyTimeout: string;
  answerTimeout: string;
  finalTimeout: string;
};
