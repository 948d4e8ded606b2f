/**
 * Bytes of a full packet's payload, and of what each carries besides: Ethernet, IPv4, UDP, QUIC
 * header, frame, tag.
 */
export const packetBytes = 1200;
export const overheadBytes = 77;

/**
 * The window of RFC 9002 section 7: slow start, NewReno, half after a loss, once a round trip.
 * Bytes.
 */
export class NewReno {
  window = 10 * packetBytes;
  inFlight = 0;
  private threshold = Number.POSITIVE_INFINITY;
  private recoveryUs = -1;

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
    this.window = this.threshold = Math.max(Math.floor(this.window / 2), 2 * packetBytes);
  }

  /** Everything between two packets far apart was lost, or the path is another. */
  restart(packets: number): void {
    this.window = packets * packetBytes;
    if (packets === 10) this.threshold = Number.POSITIVE_INFINITY;
    this.recoveryUs = -1;
  }
}
