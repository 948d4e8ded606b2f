"""What a phone's word and utterance add: the same list, in the same order, as src/scoring/calibrate/context.ts."""
import numpy as np

NAMES = [
    "alone", "word_mean", "word_min", "utterance_mean", "utterance_min", "utterance_p10", "utterance_p25", "utterance_p50",
    "utterance_deviation", "utterance_others", "before_1", "after_1", "before_2", "after_2", "word_phones",
    "utterance_phones", "place", "mean_logdur", "relative_logdur", "mean_seglr", "mean_ver",
]


def features(alone, seglr, ver, logdur, words, heard):
    """All of one utterance: alone, seglr, ver, logdur [n] floats, words [n] integers, heard [n] -> [n, len(NAMES)]."""
    count, mean = len(alone), alone.mean()
    ordered = np.sort(alone)
    margin, verdict = (values[heard].mean() if heard.any() else 0.0 for values in (seglr, ver))
    shared = [mean, ordered[0], *(ordered[int(share * (count - 1))] for share in (0.1, 0.25, 0.5)), alone.std()]
    columns = np.zeros((count, len(NAMES)), np.float32)
    for at in range(count):
        own = np.flatnonzero(words == words[at])
        columns[at] = [
            alone[at], alone[own].mean(), alone[own].min(), *shared,
            (count * mean - alone[at]) / (count - 1) if count > 1 else mean,
            *(alone[at + step] if 0 <= at + step < count else mean for step in (-1, 1, -2, 2)),
            np.log(len(own)), np.log(count), (at - own[0]) / max(1, len(own) - 1), logdur.mean(), logdur[at] - logdur.mean(),
            margin, verdict,
        ]
    return columns


def of_table(table, alone, names):
    """Context features of every row of a table; `names` are the segment features' names."""
    seglr, ver, logdur = (table.features[:, names.index(n)] for n in ("seglr", "ver", "logdur"))
    out = np.zeros((len(alone), len(NAMES)), np.float32)
    edges = np.flatnonzero(np.r_[True, np.diff(table.utterances) != 0, True])
    for a, b in zip(edges, edges[1:]):
        out[a:b] = features(alone[a:b], seglr[a:b], ver[a:b], logdur[a:b], table.words[a:b], table.heard[a:b])
    return out
