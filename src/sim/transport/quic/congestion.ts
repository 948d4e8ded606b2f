import type { QuicWindows } from '../../profile/profile.ts';

/** Bytes of a full packet's payload. */
export const packetBytes = 1200;
/** What each packet carries besides: QUIC's header, a frame's, the tag. */
export const quicBytes = 35;

/**
 * The window of RFC 9002 section 7: slow start, NewReno, half after a loss, once a round trip.
 * Bytes of UDP payload (section 2: headers of UDP and IP do not count).
 */
export class NewReno {
  window: number;
  inFlight = 0;
  private readonly windows: QuicWindows;
  private threshold = Number.POSITIVE_INFINITY;
  private recoveryUs = -1;

  constructor(windows: QuicWindows) {
    this.windows = windows;
    this.window = windows.initialWindowBytes;
  }

  /** A packet was acknowledged; the window grows only if it was used. */
  acknowledged(bytes: number, sentUs: number, used: boolean): void {
    this.inFlight -= bytes;
    if (!used || sentUs <= this.recoveryUs) return;
    this.window += this.window < this.threshold ? bytes : Math.floor((packetBytes * bytes) / this.window);
  }

  lost(bytes: number, sentUs: number, nowUs: number): void {
    this.inFlight -= bytes;
    if (sentUs <= this.recoveryUs) return;
    this.recoveryUs = nowUs;
    this.window = this.threshold = Math.max(Math.floor(this.window / 2), this.windows.leastWindowBytes);
  }

  /** Everything between two packets far apart was lost: congestion that persists. */
  collapse(): void {
    this.window = this.windows.leastWindowBytes;
    this.recoveryUs = -1;
  }

  /** The path is another. */
  beginAnew(): void {
    this.window = this.windows.initialWindowBytes;
    this.threshold = Number.POSITIVE_INFINITY;
    this.recoveryUs = -1;
  }
}
