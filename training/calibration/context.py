"""What a phone's word and utterance add: features over the scores that each phone got alone.

The same list, in the same order, as src/scoring/context.ts.
"""
import numpy as np

NAMES = [
    "alone", "previous", "next", "word_mean", "word_min", "word_others", "word_length", "utterance_mean", "utterance_min",
    "utterance_deviation", "utterance_quarter", "utterance_others", "utterance_seglr", "utterance_ver", "utterance_logdur",
    "relative_logdur", "utterance_length",
]
MISSING = 2.0


def features(alone, seglr, ver, logdur, words):
    """All of one utterance: alone, seglr, ver, logdur [n] floats, words [n] integers -> [n, len(NAMES)]."""
    count = len(alone)
    total = alone.sum()
    columns = np.zeros((count, len(NAMES)), np.float32)
    for at in range(count):
        word = alone[words == words[at]]
        columns[at] = [
            alone[at], alone[at - 1] if at > 0 else MISSING, alone[at + 1] if at + 1 < count else MISSING,
            word.mean(), word.min(), (word.sum() - alone[at]) / (len(word) - 1) if len(word) > 1 else MISSING, len(word),
            total / count, alone.min(), alone.std(), np.sort(alone)[count // 4],
            (total - alone[at]) / (count - 1) if count > 1 else MISSING, seglr.mean(), ver.mean(), logdur.mean(),
            logdur[at] - logdur.mean(), np.log(count),
        ]
    return columns


def of_table(table, alone, names):
    """Context features of every row of a table; `names` are the segment features' names."""
    seglr, ver, logdur = (table.features[:, names.index(n)] for n in ("seglr", "ver", "logdur"))
    out = np.zeros((len(alone), len(NAMES)), np.float32)
    edges = np.flatnonzero(np.r_[True, np.diff(table.utterances) != 0, True])
    for a, b in zip(edges, edges[1:]):
        out[a:b] = features(alone[a:b], seglr[a:b], ver[a:b], logdur[a:b], table.words[a:b])
    return out
