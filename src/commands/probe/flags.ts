export type ProbeFlags = {
  text: string;
  protocol?: string;
  option?: string[];
  language: string;
  header?: string[];
  auth?: string[];
  tokenFile?: string;
  ca?: string;
  insecure?: boolean;
  yesLoad?: string;
  sampleRate?: string;
  sendFirst?: string[];
  sendLast?: string[];
  learn?: string;
  json?: boolean;
  readyTimeout: string;
  finalTimeout: string;
};
