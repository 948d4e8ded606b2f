/**
 * The alignment of a growing transcript with the text that is being read: the fewest words left
 * out, put in or changed, and of those ways the one with most words right (Levenshtein 1965, by
 * dynamic programming). A transcript that begins as the one before costs its new words alone.
 */
export class TranscriptAlignment {
  readonly #text: readonly string[];
  /** One row a word of the transcript: the cost of it with each beginning of the text. */
  readonly #rows: Float64Array[];
  #words: readonly string[] = [];
  /** Words of the transcript beyond what any reader would say: each is one too many. */
  #beyond = 0;

  /** @param text The words that are read, in the form in which they are compared. */
  constructor(text: readonly string[]) {
    this.#text = text;
    this.#rows = [Float64Array.from({ length: text.length + 1 }, (_, place) => place * oneEdit)];
  }

  /** The transcript is now this one. */
  see(words: readonly string[]): void {
    const most = 2 * this.#text.length + fewWords;
    const kept = words.length > most ? words.slice(0, most) : words;
    this.#beyond = words.length - kept.length;
    let same = 0;
    while (same < kept.length && kept[same] === this.#words[same]) same++;
    for (let at = same; at < kept.length; at++) this.#fill(at + 1, kept[at]!);
    this.#words = kept;
  }

  /** Words left out, put in or changed when the transcript is of the whole text. */
  get errors(): number {
    return Math.ceil(this.#rows[this.#words.length]![this.#text.length]! / oneEdit) + this.#beyond;
  }

  /**
   * Calls back each word that the transcript has right, by its places in the text and in the
   * transcript, the last first. `whole`: the reading is over; else the transcript may end at any
   * word of the text.
   */
  right(whole: boolean, onWord: (place: number, at: number) => void): void {
    let at = this.#words.length;
    let place = whole ? this.#text.length : this.#end();
    while (at > 0 && place > 0) {
      const cost = this.#rows[at]![place]!;
      const before = this.#rows[at - 1]!;
      const same = this.#words[at - 1] === this.#text[place - 1];
      if (cost === before[place - 1]! + (same ? -1 : oneEdit)) {
        place--;
        at--;
        if (same) onWord(place, at);
      } else if (cost === before[place]! + oneEdit) at--;
      else place--;
    }
  }

  /** How much of the text the transcript most likely reaches to; the least of equals. */
  #end(): number {
    const row = this.#rows[this.#words.length]!;
    let best = 0;
    for (let place = 1; place < row.length; place++) if (row[place]! < row[best]!) best = place;
    return best;
  }

  #fill(at: number, word: string): void {
    const text = this.#text;
    const before = this.#rows[at - 1]!;
    this.#rows[at] ??= new Float64Array(text.length + 1);
    const row = this.#rows[at];
    row[0] = before[0]! + oneEdit;
    for (let place = 1; place <= text.length; place++) {
      const changed = before[place - 1]! + (word === text[place - 1] ? -1 : oneEdit);
      row[place] = Math.min(changed, before[place]! + oneEdit, row[place - 1]! + oneEdit);
    }
  }
}

/** A word right counts -1, so that it decides between equal numbers of edits and no others. */
const oneEdit = 2 ** 20;

/** A transcript of a text of no words may have so many. */
const fewWords = 64;
