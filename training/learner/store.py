"""A corpus in the cache: one file of int16 samples and one JSON line an utterance."""
import json
from pathlib import Path

import numpy as np


class Writer:
    """Append utterances to CACHE/NAME.pcm and CACHE/NAME.jsonl."""

    def __init__(self, cache, name):
        Path(cache).mkdir(parents=True, exist_ok=True)
        self._pcm = open(Path(cache) / f"{name}.pcm", "wb")
        self._rows = open(Path(cache) / f"{name}.jsonl", "w", encoding="utf8")
        self._offset = 0

    def add(self, samples, **row):
        """Store one utterance; `row` needs `id`, `speaker` and `words`."""
        self._pcm.write(np.asarray(samples, "<i2").tobytes())
        self._rows.write(json.dumps({**row, "offset": self._offset, "samples": len(samples)}) + "\n")
        self._offset += len(samples)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._pcm.close()
        self._rows.close()


def read(cache, name):
    """Yield (row, int16 samples) of every utterance of a stored corpus, in order."""
    pcm = np.memmap(Path(cache) / f"{name}.pcm", "<i2", "r")
    for row in rows(cache, name):
        yield row, pcm[row["offset"]: row["offset"] + row["samples"]]


def rows(cache, name):
    """The JSON rows alone, as a list."""
    return [json.loads(line) for line in open(Path(cache) / f"{name}.jsonl", encoding="utf8")]
