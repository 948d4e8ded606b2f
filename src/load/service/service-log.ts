/**
 * What the processes of a service have logged, as an operator would read it: one line an entry,
 * `gateway 1: {"level":40,...}`. It keeps the newest lines and says how many went before them.
 */
export class ServiceLog {
  readonly #mostLines: number;
  readonly #lines: string[] = [];
  #leftOut = 0;

  constructor(mostLines = 50_000) {
    this.#mostLines = mostLines;
  }

  /** Takes the bytes that one process writes, which it calls by `name`. */
  writerOf(name: string): (bytes: Uint8Array) => void {
    const decoder = new TextDecoder();
    let begun = '';
    return (bytes) => {
      const lines = `${begun}${decoder.decode(bytes, { stream: true })}`.split('\n');
      begun = (lines.pop() ?? '').slice(0, mostLineLength);
      for (const line of lines) if (line !== '') this.#add(`${name}: ${line.slice(0, mostLineLength)}`);
    };
  }

  /** All that is kept, a line feed behind each line; empty when nothing was said. */
  toString(): string {
    const before = this.#leftOut === 0 ? [] : [`(${this.#leftOut} earlier lines left out)`];
    return [...before, ...this.#lines].map((line) => `${line}\n`).join('');
  }

  #add(line: string): void {
    this.#lines.push(line);
    // A tenth at once: a list is not moved up for each line.
    const over = this.#lines.length - this.#mostLines;
    if (over > this.#mostLines / 10) this.#leftOut += this.#lines.splice(0, over).length;
  }
}

/** A line without end is cut there. */
const mostLineLength = 20_000;
