"""The recorded corpora, decoded once into the cache.

python3 -m learner.corpora --data DIR --cache DIR

DIR holds `speechocean762-train/` and `kathleen/`. Each word is stored with its pronunciations: the
annotators' one for learners, every dictionary variant for the native speaker.
"""
import argparse
import json
from pathlib import Path

from . import dictionary, store
from .audio import decode
from .phones import index_of


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True)
    parser.add_argument("--cache", required=True)
    args = parser.parse_args()
    with store.Writer(args.cache, "learners") as out:
        for row in learner_rows(args.data):
            add_learner(out, row, Path(args.data) / "speechocean762-train/audio" / f"{row['id']}.flac")
    table = dictionary.load()
    with store.Writer(args.cache, "kathleen") as out:
        for row in json_lines(Path(args.data) / "kathleen/index.jsonl"):
            words = dictionary.words_of(row["text"])
            if words and all(w in table for w in words):
                variants = [[[index_of(p) for p in v] for v in table[w][:4]] for w in words]
                samples = decode(Path(args.data) / "kathleen/audio" / f"{row['id']}.opus")
                out.add(samples, id=row["id"], speaker="kathleen", text=row["text"],
                        words=[{"text": w, "variants": v} for w, v in zip(words, variants)])


def learner_rows(data):
    """The rows of speechocean762's train.jsonl."""
    return json_lines(Path(data) / "speechocean762-train/train.jsonl")


def sentences(data):
    """Every distinct sentence of both corpora, lower case, in a fixed order."""
    texts = [row["text"] for row in learner_rows(data)]
    texts += [row["text"] for row in json_lines(Path(data) / "kathleen/index.jsonl")]
    return list(dict.fromkeys(text.lower() for text in texts))


def add_learner(out, row, path):
    words = [{"text": w["text"], "variants": [[index_of(p) for p in w["phones"]]], "scores": w["scores"],
              "phones": w["phones"]} for w in row["words"]]
    out.add(decode(path), id=row["id"], speaker=row["speaker"], age=row["age"], text=row["text"], words=words)


def json_lines(path):
    return [json.loads(line) for line in open(path, encoding="utf8")]


if __name__ == "__main__":
    main()
