"""Held-out learners of one fold as WAV files and manifests: OUT/audio/*.wav, OUT/fK.jsonl, OUT/fK.truth.jsonl.

python3 -m learner.folds --cache DIR --out DIR
"""
import argparse
import json
from pathlib import Path

from . import dataset, store
from .audio import write_wav


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cache", required=True)
    parser.add_argument("--out", required=True)
    args = parser.parse_args()
    out = Path(args.out)
    (out / "audio").mkdir(parents=True, exist_ok=True)
    fold = dataset.fold_of(row["speaker"] for row in store.rows(args.cache, "learners"))
    manifests = [open(out / f"f{k}.jsonl", "w", encoding="utf8") for k in range(dataset.FOLDS)]
    truths = [open(out / f"f{k}.truth.jsonl", "w", encoding="utf8") for k in range(dataset.FOLDS)]
    for row, samples in store.read(args.cache, "learners"):
        path = out / "audio" / f"{row['id']}.wav"
        write_wav(path, samples)
        words = [{"text": w["text"], "phones": w["phones"]} for w in row["words"]]
        line = {"id": row["id"], "audio": str(path.resolve()), "text": row["text"], "words": words}
        judged = [{**short, "scores": w["scores"]} for short, w in zip(words, row["words"])]
        truth = {"id": row["id"], "speaker": row["speaker"], "age": row["age"], "words": judged}
        manifests[fold[row["speaker"]]].write(json.dumps(line) + "\n")
        truths[fold[row["speaker"]]].write(json.dumps(truth) + "\n")
    for file in manifests + truths:
        file.close()


if __name__ == "__main__":
    main()
