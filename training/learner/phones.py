"""The phone set: 39 ARPAbet phones in a fixed order, then silence."""
import re

PHONES = (
    "AA AE AH AO AW AY B CH D DH EH ER EY F G HH IH IY JH K L M N NG OW OY P R S SH T TH UH UW V W Y Z ZH"
).split()
SILENCE = "SIL"
LABELS = PHONES + [SILENCE]
INDEX = {name: i for i, name in enumerate(LABELS)}
SILENCE_INDEX = INDEX[SILENCE]

CLASSES = [
    "P B T D K G", "F V TH DH S Z SH ZH HH", "CH JH SH T D ZH", "M N NG", "L R W Y",
    "IY IH EH EY AE", "AA AO AH UH UW OW ER", "AW AY OY",
]


def index_of(phone):
    """Index of an ARPAbet phone, stress digits ignored; KeyError names an unknown one."""
    return INDEX[re.sub(r"\d$", "", phone.upper())]


def same_class(phone_index):
    """Indices of the other phones in this phone's articulatory class (an affricate borrows its neighbours)."""
    name = LABELS[phone_index]
    own = [c.split() for c in CLASSES]
    home = next((c for c in own if name in c and (name not in ("SH", "T", "D", "ZH") or "CH" not in c)), [])
    return [INDEX[p] for p in home if p != name]
