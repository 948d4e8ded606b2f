"""Pronunciations from the dictionary that ships with pocketsphinx (CMUdict, 39 phones)."""
import re

PATH = "/usr/share/pocketsphinx/model/en-us/cmudict-en-us.dict"
NUMBERS = dict(zip("0 1 2 3 4 5 6 7 8 9 10".split(), "zero one two three four five six seven eight nine ten".split()))


def load(path=PATH):
    """{word: [pronunciation, ...]}, a pronunciation being a list of ARPAbet phones without stress."""
    table = {}
    for line in open(path, encoding="utf8"):
        word, *phones = line.split()
        table.setdefault(re.sub(r"\(\d+\)$", "", word), []).append(phones)
    return table


def words_of(text):
    """Lower-case dictionary words of a sentence; digits are spelled out, punctuation dropped."""
    found = re.findall(r"[a-z0-9']+", text.lower().replace("-", " ").replace("\u2019", "'"))
    return [NUMBERS.get(w, w) for w in (f.strip("'") for f in found) if w]
