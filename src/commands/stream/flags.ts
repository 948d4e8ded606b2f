import type { LinkTransport } from '../../client/link/quic-way.ts';
import type { Lane } from '../../protocol/client-messages.ts';

export type StreamFlags = {
  text: string;
  url?: string[];
  transport: LinkTransport;
  tlsCa?: string;
  tokenFile?: string;
  cutAt?: string;
  emitInterval: string;
  lane: Lane;
  readyTimeout: string;
  answerTimeout: string;
  finalTimeout: string;
};
