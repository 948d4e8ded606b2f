import { describe, expect, it } from 'vitest';
import { parseObjective } from '../../../src/slo/objective/expression.ts';

describe('an objective', () => {
  it.each([
    ['p95(feedback_latency) < 500ms', { reading: 'quantile', metric: 'feedback_latency', p: 0.95, bound: 500 }],
    ['p99.9( final_latency )<=1.5s', { reading: 'quantile', metric: 'final_latency', p: 0.999, bound: 1500 }],
    ['max(connect_time) < 2s', { reading: 'max', metric: 'connect_time', bound: 2000 }],
    ['availability >= 99.9%', { reading: 'share', metric: 'availability', bound: 0.999 }],
    ['rate(violations) == 0', { reading: 'rate', metric: 'violations', bound: 0 }],
    ['rate(sessions_died) < 1%', { reading: 'rate', metric: 'sessions_died', bound: 0.01 }],
    ['mean(phoneme_latency) <= 150ms', { reading: 'mean', metric: 'phoneme_latency', bound: 150, selector: {} }],
    ['p95(feedback_latency){profile=lte} < 500ms', { selector: { profile: 'lte' }, bound: 500 }],
    ['p95(feedback_latency{profile=lte}) < 500ms', { selector: { profile: 'lte' }, bound: 500 }],
    [
      ' availability { profile = "lte-commute" , language=en-US } >= 99%',
      { reading: 'share', selector: { profile: 'lte-commute', language: 'en-US' } },
    ],
    ['rate(violations){language=de-DE} == 0', { reading: 'rate', selector: { language: 'de-DE' } }],
    ['goodput >= 95%', { reading: 'share', metric: 'goodput', bound: 0.95 }],
    ['flicker_rate{language=en-US} < 10%', { reading: 'rate', metric: 'flicker_rate', bound: 0.1 }],
    ['cost_per_audio_minute <= $0.015', { reading: 'cost', metric: 'cost_per_audio_minute', bound: 0.015 }],
    ['cost_per_audio_minute < $0.90/h', { reading: 'cost', bound: 0.015 }],
    ['goodput{phase=spike,profile=LTE} >= 90%', { selector: { phase: 'spike', profile: 'LTE' } }],
    ['availability{} >= 99%', { reading: 'share', selector: {} }],
    ['  lost_frames==0 ', { reading: 'count', metric: 'lost_frames', bound: 0, comparator: '==' }],
  ])('%s is read', (source, expected) => {
    const objective = parseObjective(source);
    const close = Object.fromEntries(
      Object.entries(expected).map(([key, value]) => [
        key,
        typeof value === 'number' ? expect.closeTo(value, 12) : value,
      ]),
    );
    expect(objective).toMatchObject({ ...close, source });
  });

  it.each([
    ['p95(feedback_latencey) < 500ms', 'unknown metric "feedback_latencey" (did you mean "feedback_latency"?)'],
    ['availabilty >= 99%', 'unknown metric "availabilty" (did you mean "availability"?)'],
    ['p95(nothing_like_it) < 1s', 'metrics: feedback_latency, first_partial'],
    ['feedback_latency < 500ms', 'needs a quantile of feedback_latency'],
    ['p100(feedback_latency) < 500ms', 'unknown reading "p100"'],
    ['avg(feedback_latency) < 500ms', 'unknown reading "avg"'],
    ['p95(feedback_latency) > 500ms', 'cannot be compared with ">"; allowed: < <='],
    ['p95(feedback_latency) < 500', 'duration "500" has no unit'],
    ['p95(feedback_latency) < 5%', 'unknown unit "%"'],
    ['availability >= 0.999', 'has no unit'],
    ['availability >= 101%', 'above 100%'],
    ['p95(availability) >= 99%', 'availability is a share and takes no p95()'],
    ['p95(violations) == 0', 'violations is a count and takes no p95()'],
    ['lost_frames == few', '"few" is not a whole number'],
    ['lost_frames != 0', 'cannot be compared with "!="'],
    [
      'availability{profil=lte} >= 99%',
      'unknown label "profil" (did you mean "profile"?); allowed: profile, language, phase',
    ],
    ['lost_frames{phase=spike} == 0', 'cannot tell which phase lost_frames belongs to; allowed: profile, language'],
    ['session_success{phase=spike} >= 99%', 'cannot tell which phase session_success belongs to'],
    ['goodput{stage=spike} >= 90%', 'has the label "stage", which is called "phase" now; allowed: phase=NAME'],
    ['availability{profile} >= 99%', 'has the matcher "profile"; allowed: {profile=lte,language=en-US}'],
    ['availability{profile=} >= 99%', 'has the matcher "profile="'],
    ['availability{profile=a,} >= 99%', 'has the matcher ""'],
    ['availability{profile=a,profile=b} >= 99%', 'names profile twice'],
    ['p95(feedback_latency{profile=a}){profile=b} < 1s', 'has two selectors'],
    ['goodput <= 95%', 'cannot be compared with "<="; allowed: > >='],
    ['rate(flicker_rate) < 5%', 'flicker_rate is a rate and takes no rate()'],
    ['flicker_rate > 5%', 'cannot be compared with ">"'],
    ['cost_per_audio_minute <= 0.015', '"0.015" is not a price'],
    ['cost_per_audio_minute <= $0.015/s', 'unknown unit "/s"'],
    ['cost_per_audio_minute{profile=lte} <= $1', 'cannot share the cost out among sessions'],
    ['mean(cost_per_audio_minute) <= $1', 'is a cost and takes no mean()'],
    ['mean(availability) >= 99%', 'availability is a share and takes no mean()'],
    ['', 'is not "reading comparator value"'],
    ['p95(feedback_latency < 500ms', 'is not "reading comparator value"'],
  ])('%s is refused: %s', (source, sentence) => {
    expect(() => parseObjective(source)).toThrow(sentence);
    expect(() => parseObjective(source)).toThrow(expect.objectContaining({ code: 'bad_objective' }));
  });
});
