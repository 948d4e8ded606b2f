import type { AppSession, Voice } from '../../client/app-session.ts';
import { StreamClient } from '../../client/client.ts';
import type { ClientEnd } from '../../client/close-outcome.ts';
import type { DialectClient } from '../../client/dialect-client.ts';
import type { SoundFrames } from '../../client/frames.ts';
import type { OpenLink, SimulatedDevice } from '../../client/link/link.ts';
import type { Clock, Timers } from '../../clock/wheel.ts';
import type { Recorder } from '../../metrics/recorder.ts';
import type { TraceSink } from '../../metrics/traces.ts';
import type { Lane } from '../../protocol/client-messages.ts';
import type { Objective } from '../../slo/objective/expression.ts';
import { createRandomStream, type RandomStream } from '../../stats/random-stream.ts';
import type { FaultyLearner } from '../fault/definition/definition.ts';
import { SessionMeter, type SessionOutcome } from '../meter/session-meter.ts';
import type { LearnerPlan } from '../plan/learner-plan.ts';
import type { Clip } from '../scenario/clips.ts';
import { openDialectSession, type SpokenDialect } from './dialect-session.ts';
import { FrameLoss } from './frame-loss.ts';
import { Retry, type RetryPolicy } from './retry.ts';
import { Speech, type SpeechContext } from './speaker.ts';

/** What all learners of a shard share. */
export type LearnerContext = {
  /** A learner's links on the network that is there. */
  openFor(learner: number): OpenLink;
  /** Servers that they lead to beside the first. */
  otherServers: number;
  clips: readonly Clip[];
  /** Present when the server speaks another dialect than speechfb.v1. */
  spoken?: SpokenDialect | undefined;
  /** The clips cut into frames, and where the words of each end, ms. */
  sounds: readonly SoundFrames[];
  wordEndsMs: readonly (readonly (number | undefined)[])[];
  frameMs: number;
  emitIntervalMs: number;
  /** Default `live`. */
  lane?: Lane | undefined;
  /** Absent: a learner who is refused does not come again. */
  retry?: RetryPolicy | undefined;
  /** Samples that were due within this time from the plan's 0 are not measured. */
  warmupMs: number;
  /** What utterances and sessions are held against while they run. */
  objectives?: readonly Objective[];
  seed: number;
  /** The plan's 0 on the clock. */
  startMs: number;
  clock: Clock;
  timers: Timers;
  recorder: Recorder;
  traces: TraceSink;
  /**
   * What a person should read about a session that went wrong; `kind` names it in fixed words where
   * the text quotes the server.
   */
  onSessionError(text: string, kind?: string): void;
};

/**
 * One person with the app: connects at the planned time, then speaks on an absolute schedule; frame
 * i of an utterance goes out when its last sample is due, whatever the server does.
 */
export class Learner implements FaultyLearner {
  /** Resolves when the session is over. */
  readonly done: Promise<void>;
  readonly #whole: LearnerPlan;
  /** What is left of the plan when the learner gets in. */
  #plan: LearnerPlan;
  readonly #context: LearnerContext;
  readonly #device: SimulatedDevice | undefined;
  readonly #open: OpenLink;
  readonly #loss: FrameLoss;
  readonly #retry: Retry | undefined;
  readonly #returnRandom: RandomStream;
  #meter: SessionMeter;
  #client: AppSession | undefined;
  /** Frames sent in sessions before this one. */
  #framesBefore = 0;
  #end: ClientEnd | undefined;
  #spoken = false;
  /** Was sent away, and waits to come back. */
  #isAway = false;
  /** The ticket of the place that is kept for it. */
  #ticket: string | undefined;
  /** The books are being closed: how the session ends now is the test's doing. */
  #finishing = false;
  #resolveDone!: () => void;

  /** `device`: present where its network is simulated. */
  constructor(plan: LearnerPlan, context: LearnerContext, device?: SimulatedDevice) {
    this.#whole = plan;
    this.#plan = plan;
    this.#context = context;
    this.#device = device;
    this.#open = context.openFor(plan.learner);
    this.done = new Promise((resolve) => {
      this.#resolveDone = resolve;
    });
    this.#loss = new FrameLoss(createRandomStream(context.seed, lossStream + plan.learner));
    const random = createRandomStream(context.seed, retryStream + plan.learner);
    this.#retry = context.retry && new Retry(context.retry, random);
    this.#returnRandom = createRandomStream(context.seed, returnStream + plan.learner);
    this.#meter = this.#newMeter();
    context.timers.at(context.startMs + plan.arrivalMs, () => this.#arrive());
  }

  get learner(): number {
    return this.#plan.learner;
  }

  /** Frames given to the network in all of its sessions. */
  get framesSent(): number {
    const { sent = 0, lost = 0 } = this.#client ?? {};
    return this.#framesBefore + sent - lost;
  }

  /** False when there was no socket to lose. */
  reconnect(): boolean {
    if (!this.#client?.connected) return false;
    this.#client.cut();
    return true;
  }

  /** False when the session is over or has not begun. */
  cutNetwork(forMs: number): boolean {
    if (!this.#device || !this.#client || this.#end) return false;
    this.#device.cut(forMs);
    return true;
  }

  /** False when the session is over or has not begun. */
  losePackets(share: number, forMs: number): boolean {
    if (!this.#device || !this.#client || this.#end) return false;
    this.#device.lose(share, forMs);
    return true;
  }

  /** False when the session is over or has not begun. */
  loseFrames(share: number, fromMs: number, untilMs: number): boolean {
    if (!this.#client || this.#end) return false;
    const { startMs } = this.#context;
    this.#loss.begin({ share, fromMs: startMs + fromMs, untilMs: startMs + untilMs });
    return true;
  }

  /** Time has passed; counts what is overdue by now as missed. */
  tick(nowMs: number): void {
    this.#client?.tick(nowMs);
    this.#meter.tick(nowMs);
  }

  /**
   * Ends the session if it has not ended, and closes its books: what was due by `untilMs` and never
   * came is infinite.
   */
  finish(untilMs: number, interrupted: boolean): void {
    this.#finishing = true;
    this.#client?.abort('the test is over');
    // The books of its session were closed when it went.
    if (this.#isAway) return;
    this.#closeBooks(untilMs, interrupted ? 'interrupted' : (this.#end?.outcome ?? 'refused'));
  }

  #closeBooks(untilMs: number, outcome: SessionOutcome['outcome']): void {
    const { sent: numbered = 0, lost = 0, unacked = 0, lostUnacked = 0, resent = 0 } = this.#client ?? {};
    this.#meter.end(untilMs, { outcome, sent: numbered - lost, unacked, lostUnacked, resent });
  }

  #arrive(): void {
    const first = this.#plan.utterances[0];
    if (this.#end) return;
    if (!first) {
      this.#over({ outcome: 'closed', code: 1000, reason: 'nothing to say before the test ends' });
      return;
    }
    const clip = this.#context.clips[first.clip]!;
    const { spoken } = this.#context;
    if (spoken) this.#speak(this.#connectTo(spoken, clip), { ...this.#context, sounds: spoken.sounds });
    else this.#speak(this.#connect(clip), this.#context);
  }

  #speak<Sound>(client: AppSession & Voice<Sound>, context: SpeechContext<Sound>): void {
    this.#client = client;
    this.#checkPulse();
    new Speech(this.#plan, context, client, this.#loss, this.#meter.frames, () => {
      this.#spoken = true;
      this.#closeWhenSettled();
    });
  }

  #connectTo(spoken: SpokenDialect, clip: Clip): DialectClient {
    return openDialectSession({
      ...this.#context,
      spoken,
      clip,
      learner: this.#plan.learner,
      language: this.#plan.language,
      appBufferMs,
      device: this.#device,
      meter: () => this.#meter,
      onHeard: () => this.#closeWhenSettled(),
      onSessionError: (text, kind) => this.#sessionError(text, kind),
      onEnd: (end) => this.#over(end),
    });
  }

  #connect(clip: Clip): StreamClient {
    const { otherServers, frameMs, emitIntervalMs, lane, clock, timers, seed } = this.#context;
    const samplesAFrame = (clip.sampleRateHz * frameMs) / 1000;
    return new StreamClient({
      open: this.#device?.links(this.#open) ?? this.#open,
      otherServers,
      start: {
        audio: { encoding: 'pcm_s16le', sample_rate: clip.sampleRateHz, channels: 1, frame_ms: frameMs },
        language: this.#plan.language,
        reference: { text: clip.text },
        emit_interval_ms: emitIntervalMs,
        ...(lane === 'batch' && { lane }),
        ...(this.#ticket !== undefined && { return_ticket: this.#ticket }),
      },
      clock,
      timers,
      // A stream of its own: reconnects must not shift the plan's random numbers.
      random: createRandomStream(seed, 0x8000_0000 + this.#plan.learner),
      dropAboveBytes: (appBufferMs * clip.sampleRateHz * 2) / 1000,
      batchedReading: true,
      onEvent: (event, receivedMs, downlinkMs, framesSent) => {
        for (const broken of this.#meter.event(event, receivedMs, downlinkMs, framesSent)) this.#sessionError(broken);
        if (event.type === 'error' && this.#client?.leftMs === undefined)
          this.#sessionError(`${event.code}: ${event.message}`, `error ${event.code}`);
        this.#closeWhenSettled();
      },
      onBadMessage: ({ kind, problem }) => {
        this.#meter.garbage();
        this.#sessionError(`invalid_server_message: ${problem}`, `invalid_server_message: ${kind}`);
      },
      onDropped: (atMs) => this.#meter.dropped(atMs),
      onCarried: (firstSample, atMs, lateMs) => this.#meter.frameCarried(firstSample / samplesAFrame, atMs, lateMs),
      onRoundTrip: (ms) => this.#meter.roundTrip(ms),
      onEnd: (end) => this.#over(end),
    });
  }

  #checkPulse(): void {
    const { timers, clock } = this.#context;
    timers.at(clock() + 1000, () => {
      if (this.#end) return;
      this.#client?.checkPulse();
      this.#checkPulse();
    });
  }

  #closeWhenSettled(): void {
    if (this.#spoken && this.#meter.settled && !this.#end) this.#client?.close();
  }

  #newMeter(): SessionMeter {
    const { clips, frameMs, spoken } = this.#context;
    return new SessionMeter({
      ...this.#context,
      plan: this.#plan,
      speechBeginMs: clips.map((clip) => clip.speechBeginMs),
      clipFrames: clips.map(({ durationMs }) => Math.ceil(durationMs / frameMs)),
      simulated: this.#device !== undefined,
      ...(spoken && { foreign: { reach: spoken.dialect.tells.reach, texts: spoken.texts } }),
    });
  }

  /**
   * Takes a refusal of this attempt; whether the learner waits, silent, to ask again. Whoever is
   * not let in says nothing that anybody owes an answer to.
   */
  #comesAgain({ retryable, retryAfterMs }: ClientEnd, retry: Retry): boolean {
    const nowMs = this.#context.clock();
    this.#meter.refused(nowMs);
    return this.#returnsAt(nowMs, retryable ? retry.nextMs(nowMs, retryAfterMs) : undefined);
  }

  /**
   * Takes it that the server has too many; whether the learner waits, silent, to come back as told,
   * with the jitter of all who were told the same.
   */
  #comesBack({ retryAfterMs, returnTicket }: ClientEnd): boolean {
    const { clock } = this.#context;
    const nowMs = clock();
    // What it would have said since it was told to go is owed by nobody.
    this.#closeBooks(this.#client?.leftMs ?? nowMs, 'sent_away');
    this.#ticket = returnTicket;
    this.#isAway = true;
    const atMs = retryAfterMs === undefined ? undefined : nowMs + retryAfterMs * (1 + this.#returnRandom() / 4);
    return this.#returnsAt(nowMs, atMs);
  }

  /** Whether there is something left to say then. */
  #returnsAt(nowMs: number, atMs: number | undefined): boolean {
    const { timers, startMs } = this.#context;
    const arrivalMs = (atMs ?? nowMs) - startMs;
    const utterances = this.#whole.utterances.filter(({ beginMs }) => beginMs >= arrivalMs);
    this.#startOver({ ...this.#whole, arrivalMs, utterances: [] });
    if (atMs === undefined || utterances.length === 0) return false;
    timers.at(atMs, () => {
      if (this.#finishing) return;
      this.#isAway = false;
      this.#startOver({ ...this.#whole, arrivalMs, utterances });
      this.#arrive();
    });
    return true;
  }

  #startOver(plan: LearnerPlan): void {
    this.#plan = plan;
    this.#framesBefore = this.framesSent;
    this.#meter = this.#newMeter();
    this.#client = undefined;
  }

  #over(end: ClientEnd): void {
    const retry = end.outcome === 'refused' && !this.#finishing ? this.#retry : undefined;
    if (retry && this.#comesAgain(end, retry)) return;
    if (end.outcome === 'sent_away' && !this.#finishing && this.#comesBack(end)) return;
    this.#end = end;
    if (!this.#finishing && !this.#isAway) this.#meter.over(end.outcome, retry ? undefined : this.#context.clock());
    const { outcome, code } = end;
    const reason = this.#finishing ? (unfinished[outcome] ?? end.reason) : end.reason;
    if (outcome !== 'closed' && outcome !== 'sent_away')
      this.#sessionError(`${outcome}: ${reason || 'no reason'} (${code})`, `${outcome} ${code} ${reason}`);
    this.#resolveDone();
  }

  #sessionError(text: string, kind?: string): void {
    this.#context.onSessionError(text, kind);
  }
}

/** What a session was waiting for when the test was over. */
const unfinished: Readonly<Partial<Record<ClientEnd['outcome'], string>>> = {
  refused: 'the server was not ready when the test was over',
  lost: 'not every final had come when the test was over',
};

const lossStream = 0x4000_0000;
const retryStream = 0x2000_0000;
const returnStream = 0x5000_0000;

/**
 * Sound that an app lets wait in its socket; what is spoken beyond that it drops, as old sound
 * helps nobody.
 */
const appBufferMs = 5000;
