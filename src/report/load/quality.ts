import { formatMs, dollars as money } from '../../format.ts';
import { answerName, type DistributionName } from '../../metrics/definitions.ts';
import { serverStages } from '../../protocol/stages.ts';
import type { LoadReport, SliceReport, Summary } from '../../results/report.ts';
import type { ObjectiveVerdict } from '../../slo/objective/objective-verdict.ts';
import { formatValue } from '../terminal/format-value.ts';

/**
 * Latency of feedback (of words, where a server tells no more) by profile, language and phase, each
 * by itself; none when there is but one slice.
 */
export function sliceRows(report: LoadReport): string[][] {
  const { slices } = report;
  if (slices.length < 2) return [];
  const single = slices.filter(
    ({ labels }) => Object.values(labels).filter((label) => label !== undefined).length === 1,
  );
  const answers = answersOf(report);
  return (single.length > 0 ? single : slices).map((slice) => {
    const feedback = slice.distributions[answers];
    const times = [feedback?.p50Ms, feedback?.p95Ms, feedback?.p99Ms].map((ms) =>
      ms === undefined ? '' : formatMs(ms),
    );
    return [
      nameOf(slice),
      `${slice.totals.sessions}`,
      `${feedback?.samples ?? 0}`,
      ...times,
      shareOf(slice, 'goodput'),
    ];
  });
}

/** The head of those rows. */
export function sliceHead(report: LoadReport): string[] {
  return [`${answersOf(report)} of`, 'sessions', 'samples', 'p50', 'p95', 'p99', 'goodput'];
}

/** The latency of what the server owed at every moment. */
export function answersOf({ distributions }: Pick<LoadReport, 'distributions'>): DistributionName {
  return answerName((name) => distributions[name]?.samples);
}

/**
 * The stages with a name to read them by: of a server that tells nothing of its own time, what
 * nobody claims is the server.
 */
export function stageEntries({ stages }: Pick<LoadReport, 'stages'>): [string, Summary][] {
  const untold = (name: string) => serverStages.some((stage) => stage === name);
  const entries = Object.entries(stages);
  if (entries.some(([name, { maxMs = 0 }]) => untold(name) && maxMs > 0)) return entries;
  return entries.flatMap(([name, one]) => (untold(name) ? [] : [[name === 'unattributed' ? 'server' : name, one]]));
}

/** How good the feedback was, how much sound got any, and what it cost. */
export function qualityLines(report: LoadReport): string[] {
  const { rates, shares, totals, cost, warmupMs } = report;
  const rate = (name: string) => (rates[name]?.of ? formatValue(rates[name].count / rates[name].of, 'share') : 'none');
  // Servers of other protocols tell no phones.
  const phones =
    answersOf(report) === 'feedback_latency' || rates.revision_rate?.of
      ? `${rate('revision_rate')} of ${rates.revision_rate?.of ?? 0} phones revised, `
      : '';
  const lines = [
    `quality     ${shareOf(report, 'goodput') || 'none'} of ${shares.goodput?.total ?? 0} utterances met every objective; ` +
      `${phones}${rate('flicker_rate')} of ${rates.flicker_rate?.of ?? 0} words taken back${rates.wer?.of ? `; ${rate('wer')} of ${rates.wer.of} words wrong` : ''}`,
    `sound       ${minutes(totals.audioMinutesServed)} of ${minutes(totals.audioMinutesDue)} minutes got feedback${cost ? `; ${costText(cost)}` : ''}`,
  ];
  if (warmupMs > 0)
    lines.push(`warm-up     ${formatMs(warmupMs)}; ${totals.warmupSamples} samples that were due in it are left out`);
  return lines;
}

/**
 * What a reader should know of verdicts that take samples of one session as independent: that they
 * do, and a line for each that the sessions alone do not prove. None where the sessions decide.
 */
export function sessionNotes({
  assumeIndependent,
  objectives,
}: {
  assumeIndependent: boolean;
  objectives: readonly ObjectiveVerdict[];
}): string[] {
  if (!assumeIndependent) return [];
  const notes = objectives.flatMap(({ objective, verdict, unit, clustered }) => {
    if (verdict !== 'pass' || !clustered || clustered.proven) return [];
    const { sessions, designEffect, confidenceBound } = clustered;
    const proven = confidenceBound === undefined ? 'nothing' : formatValue(confidenceBound, unit);
    return [`  ${objective}: ${proven}, by ${sessions} sessions (design effect ${designEffect.toFixed(1)})`];
  });
  const assumed = 'Samples of one session are taken as independent (--assume-independent)';
  if (notes.length === 0) return [`${assumed}; the sessions alone prove the same.`];
  return [`${assumed}. They resemble each other: this is what the sessions alone prove:`, ...notes];
}

function nameOf({ labels }: SliceReport): string {
  return [labels.profile, labels.language, labels.phase, labels.tenant]
    .filter((label) => label !== undefined)
    .join(', ');
}

function shareOf({ shares }: Pick<SliceReport, 'shares'>, name: string): string {
  const share = shares[name];
  return share && share.total > 0 ? formatValue(share.good / share.total, 'share') : '';
}

function costText({ dollars, dollarsPerAudioMinute, servers, serverDollarsPerHour }: NonNullable<LoadReport['cost']>) {
  const each = `${servers} ${servers === 1 ? 'server' : 'servers'} at ${money(serverDollarsPerHour)}/h`;
  return `${formatValue(dollarsPerAudioMinute, 'usd_per_minute')} of it, ${money(dollars)} for ${each}`;
}

function minutes(value: number): string {
  return value.toFixed(value < 10 ? 2 : 1);
}
