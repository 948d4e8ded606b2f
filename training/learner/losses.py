"""What the two heads learn."""
import torch
import torch.nn.functional as F

from .batches import IGNORED
from .phones import PHONES, SILENCE_INDEX, same_class

MASK_BELOW, BAD_WEIGHT = 1.0, 3.0
SCORE_SHARE, NEGATIVE_SHARE = 0.5, 0.2
CLASS_COLUMNS = 60
RIVALS = torch.tensor([(same_class(p) * CLASS_COLUMNS)[:CLASS_COLUMNS] for p in range(len(PHONES))])


def losses(phone_logits, score_logits, labels, scores):
    """Loss of one batch and its parts (phone, score, negative, phone accuracy).

    The phone head learns the canonical phone wherever experts gave at least MASK_BELOW (of 2). The score head's canonical
    logit learns score / 2; another phone's (half of them from its class) learns 0 where the canonical one was said well.
    """
    logits, values = phone_logits.flatten(0, 1), score_logits.flatten(0, 1)
    labels, target = labels.flatten(), scores.flatten() / 2
    trusted = torch.where(target < MASK_BELOW / 2, torch.full_like(labels, IGNORED), labels)
    phone = F.cross_entropy(logits, trusted, ignore_index=IGNORED)

    spoken = torch.nonzero((labels >= 0) & (labels < SILENCE_INDEX))[:, 0]
    canonical, target, values = labels[spoken], target[spoken], values[spoken]
    own = values.gather(1, canonical[:, None])[:, 0]
    weight = torch.where(target < MASK_BELOW / 2, BAD_WEIGHT, 1.0)
    score = (weight * F.binary_cross_entropy_with_logits(own, target, reduction="none")).mean()
    other = wrong_phones(canonical)
    fair = (other != canonical) & (target >= 0.9)
    wrong = values.gather(1, other[:, None])[:, 0]
    negative = (F.softplus(wrong) * fair).mean()

    with torch.no_grad():
        judged = (trusted >= 0) & (trusted < SILENCE_INDEX)
        accuracy = (logits.argmax(1) == trusted)[judged].float().mean()
    parts = [phone.item(), score.item(), negative.item(), accuracy.item()]
    return phone + SCORE_SHARE * score + NEGATIVE_SHARE * negative, parts


def wrong_phones(canonical):
    """For each phone another one: a coin decides between its own class and all of them."""
    near = RIVALS[canonical, torch.randint(0, CLASS_COLUMNS, canonical.shape)]
    return torch.where(torch.rand(canonical.shape) < 0.5, near, torch.randint(0, len(PHONES), canonical.shape))
