import type { Heard, ReferenceText, SessionInput } from './dialect.ts';
import { type JsonObject, textAt } from './json.ts';
import type { EncodedSound, Outgoing, SoundFormat } from './sound.ts';

type OpenaiWishes = { model: string | undefined; turnDetection: string; prompt?: string | undefined };

const variable = '{reference}';

/** A stretch of sound that the server committed, and what it has transcribed of it. */
type Item = { text: string; done: boolean };

/**
 * OpenAI's events. Each commit makes an item of the conversation, whose text comes as deltas and
 * then whole; an utterance is the items between two commits of ours: one, unless the server looks
 * for turns itself.
 */
export class OpenaiSpeaker {
  readonly #update: (reference: ReferenceText) => string;
  readonly #reference: ReferenceText;
  /** Each utterance is told what it is. */
  readonly #isPrompted: boolean;
  readonly #items = new Map<string, { item: Item; utterance: number }>();
  /** By utterance, in order; those that had their final are emptied. */
  readonly #utterances: Item[][] = [];
  /** Utterances that are over, whose end the server has taken note of, that are final. */
  #said = 0;
  #committed = 0;
  #final = 0;
  #begun = 1;
  /** The server has found the end of a turn, and its own commit follows. */
  #turnEnded = false;
  #ready = false;

  constructor({ model, turnDetection, prompt }: OpenaiWishes, session: SessionInput) {
    const language = session.language.split('-')[0];
    const format = { type: 'audio/pcm', rate: session.sampleRateHz };
    const turn_detection = turnDetection === 'none' ? null : { type: turnDetection };
    this.#isPrompted = prompt?.includes(variable) === true;
    this.#reference = session.reference;
    this.#update = ({ text }) => {
      const prompted = prompt === undefined ? {} : { prompt: prompt.replaceAll(variable, () => text) };
      const transcription = { ...(model !== undefined && { model }), language, ...prompted };
      const input = { format, transcription, turn_detection };
      return JSON.stringify({ type: 'session.update', session: { type: 'transcription', audio: { input } } });
    };
  }

  begun(): readonly Heard[] {
    return [{ is: 'answer', send: [this.#update(this.#reference)] }];
  }

  audio(sound: EncodedSound, index: number): Outgoing {
    return sound.at(index);
  }

  utteranceOver(): readonly Outgoing[] {
    if (this.#said === this.#begun) return none;
    this.#said = this.#begun;
    return commit;
  }

  next(reference: ReferenceText): readonly Outgoing[] {
    const last = this.utteranceOver();
    this.#begun += 1;
    return this.#isPrompted ? [...last, this.#update(reference)] : last;
  }

  heard(event: JsonObject): readonly Heard[] {
    const { type } = event;
    const id = textAt(event, 'item_id') ?? '';
    switch (type) {
      case 'session.updated':
      case 'transcription_session.updated':
        if (this.#ready) return nothing;
        this.#ready = true;
        return [{ is: 'ready' }];
      case 'input_audio_buffer.speech_stopped':
        this.#turnEnded = true;
        return nothing;
      case 'input_audio_buffer.committed':
        return this.#commit(id);
      case `${transcription}.delta`:
        return this.#grow(id, textAt(event, 'delta'), false);
      case `${transcription}.completed`:
        return this.#grow(id, textAt(event, 'transcript'), true);
      case `${transcription}.failed`:
        return this.#grow(id, '', true);
      default:
        return known.test(`${type}`) ? nothing : [notUnderstood(event)];
    }
  }

  /** A commit with nothing to commit is refused: the utterance ends with what it has. */
  emptyCommit(): readonly Heard[] {
    this.#committed += 1;
    return this.#endings();
  }

  #commit(id: string): readonly Heard[] {
    this.#itemOf(id);
    if (!this.#turnEnded && this.#committed < this.#said) this.#committed += 1;
    this.#turnEnded = false;
    const endings = this.#endings();
    return endings.length === 0 ? nothing : endings;
  }

  #grow(id: string, text: string | undefined, whole: boolean): readonly Heard[] {
    if (text === undefined) return [{ is: 'not understood', problem: 'a transcription event without its text' }];
    const { item, utterance } = this.#itemOf(id);
    if (utterance < this.#final) return [{ is: 'not understood', problem: 'text of an utterance that was final' }];
    item.text = whole ? text : item.text + text;
    item.done ||= whole;
    const endings = this.#endings();
    return endings.length > 0 ? endings : [this.#shown('partial', utterance)];
  }

  /** The item, of the oldest utterance whose end the server has not taken note of if it is new. */
  #itemOf(id: string) {
    let found = this.#items.get(id);
    if (!found) {
      found = { item: { text: '', done: false }, utterance: this.#committed };
      this.#items.set(id, found);
      let items = this.#utterances[this.#committed];
      if (!items) {
        items = [];
        this.#utterances[this.#committed] = items;
      }
      items.push(found.item);
    }
    return found;
  }

  /** Finals of utterances that are over and wholly transcribed, in order. */
  #endings(): Heard[] {
    const ended: Heard[] = [];
    while (this.#final < this.#committed && (this.#utterances[this.#final] ?? []).every(({ done }) => done)) {
      ended.push(this.#shown('final', this.#final));
      this.#utterances[this.#final] = [];
      this.#final += 1;
    }
    return ended;
  }

  #shown(is: 'partial' | 'final', utterance: number): Heard {
    const items = this.#utterances[utterance] ?? [];
    const settledItems = items.findIndex(({ done }) => !done);
    const textOf = (some: readonly Item[]) =>
      some
        .map(({ text }) => text.trim())
        .filter((text) => text !== '')
        .join(' ');
    const settled = textOf(settledItems < 0 ? items : items.slice(0, settledItems)).length;
    return { is, utterance, text: textOf(items), settled };
  }
}

/**
 * vLLM's events. A commit that is not the last begins to transcribe what is appended, the last one
 * ends it; deltas are never taken back. The next utterance may begin when the one before is done:
 * until then the server ignores the commit that would begin it.
 */
export class VllmSpeaker {
  readonly #model: string | undefined;
  readonly #format: SoundFormat;
  #text = '';
  #done = 0;
  #begun = 1;
  #said = 0;
  /** Utterances whose transcription was asked for. */
  #asked = 1;

  constructor(model: string | undefined, format: SoundFormat) {
    this.#model = model;
    this.#format = format;
  }

  begun(): readonly Heard[] {
    const update = JSON.stringify({ type: 'session.update', model: this.#model ?? '' });
    return [{ is: 'answer', send: [update, beginning] }, { is: 'ready' }];
  }

  audio(sound: EncodedSound, index: number): Outgoing {
    return sound.as(this.#format).at(index);
  }

  utteranceOver(): readonly Outgoing[] {
    if (this.#said === this.#begun) return none;
    this.#said = this.#begun;
    return last;
  }

  next(): readonly Outgoing[] {
    const end = this.utteranceOver();
    this.#begun += 1;
    return this.#done === this.#begun - 1 ? [...end, ...this.#ask()] : end;
  }

  heard(event: JsonObject): readonly Heard[] {
    if (event.type === 'transcription.delta') return this.#grow(textAt(event, 'delta'));
    if (event.type === 'transcription.done') return this.#end(textAt(event, 'text'));
    return event.type === 'session.updated' ? nothing : [notUnderstood(event)];
  }

  #grow(delta: string | undefined): readonly Heard[] {
    if (delta === undefined) return [{ is: 'not understood', problem: 'a delta without its text' }];
    this.#text += delta;
    const text = this.#text.trim();
    return [{ is: 'partial', utterance: this.#done, text, settled: text.length }];
  }

  #end(whole: string | undefined): readonly Heard[] {
    const text = (whole ?? this.#text).trim();
    const final: Heard = { is: 'final', utterance: this.#done, text, settled: text.length };
    this.#text = '';
    this.#done += 1;
    return this.#asked < this.#begun ? [final, { is: 'answer', send: this.#ask() }] : [final];
  }

  #ask(): readonly Outgoing[] {
    this.#asked += 1;
    return [beginning];
  }
}

const none: readonly Outgoing[] = [];
const nothing: readonly Heard[] = [{ is: 'nothing' }];
const commit: readonly Outgoing[] = ['{"type":"input_audio_buffer.commit"}'];
const beginning = '{"type":"input_audio_buffer.commit","final":false}';
const last: readonly Outgoing[] = ['{"type":"input_audio_buffer.commit","final":true}'];
const transcription = 'conversation.item.input_audio_transcription';
/** Events that bring no text of ours. */
const known = /^(session|transcription_session|input_audio_buffer|conversation|rate_limits|response)\./;

function notUnderstood(event: JsonObject): Heard {
  const type = event.type === undefined ? 'without a type' : `of type ${JSON.stringify(event.type).slice(0, 80)}`;
  return { is: 'not understood', problem: `an event ${type}` };
}
