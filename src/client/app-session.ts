/** A session as somebody who speaks sees it, whatever its protocol: what becomes of each frame. */
export type Voice<Sound> = {
  readonly ended: boolean;
  /** Since when the server wants it to go, and nothing more is to be said. */
  readonly leftMs?: number | undefined;
  /**
   * Frame `index` of a recording is due. False: the app dropped it, because too much waits to be
   * sent.
   */
  sendAudio(sound: Sound, index: number): boolean;
  /** A frame that the app loses before it is sent: a fault of the test. */
  loseAudio(sound: Sound, index: number): void;
  /** Time passes over a frame that the app holds back, as with voice activity detection. */
  skipAudio(sound: Sound): void;
  /** The utterance is spoken to its end. */
  finalize(marker: string): void;
  nextUtterance(reference: { text: string }): void;
};

/** The same as somebody who runs it sees it. */
export type AppSession = {
  /** Frames that were numbered; those of them that the app lost; those nobody acknowledged. */
  readonly sent: number;
  readonly lost: number;
  readonly unacked: number;
  /** Frames that the app lost, of those that no acknowledgement has passed. */
  readonly lostUnacked: number;
  /** Frames that were sent again. */
  readonly resent: number;
  readonly connected: boolean;
  readonly ended: boolean;
  /** Since when it says nothing more, as the server wants it to go and said when to come back. */
  readonly leftMs?: number | undefined;
  /** Says goodbye; the end follows when the server has closed, or has had time to. */
  close(): void;
  /** Ends at once without a word. */
  abort(reason: string): void;
  /** Cuts the socket as a lost network does. */
  cut(): void;
  /** To be called twice a second or so. */
  tick(nowMs: number): void;
  /** To be called each second or so. */
  checkPulse(): void;
};
