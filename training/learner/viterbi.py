"""Best path through a left-to-right chain of states, some of which may be skipped."""
import numpy as np

NEVER = -1e30


def best_path(observations, skippable, stay=None, leave=None):
    """Viterbi from the first states to the last.

    observations [frames, states]: log-likelihoods. skippable [states]: a state that the path may jump over. stay, leave
    [states]: log transition weights (0 when absent). Returns (state of each frame, log-likelihood).
    """
    frames, states = observations.shape
    stay = np.zeros(states) if stay is None else stay
    leave = np.zeros(states) if leave is None else leave
    sources = jump_sources(skippable)
    jumps = np.flatnonzero(sources >= 0)
    origins = sources[jumps]
    own = np.arange(states)
    score = np.full(states, NEVER)
    entry = leading(skippable)
    score[entry] = observations[0, entry]
    back = np.empty((frames, states), np.int32)
    for frame in range(1, frames):
        stayed, left = score + stay, score + leave
        moved = np.concatenate([[NEVER], left[:-1]])
        take = moved > stayed
        best, origin = np.where(take, moved, stayed), np.where(take, own - 1, own)
        jumped = left[origins]
        better = jumped > best[jumps]
        best[jumps[better]], origin[jumps[better]] = jumped[better], origins[better]
        score = best + observations[frame]
        back[frame] = origin
    last = max(states - 1 - np.array(leading(skippable[::-1])), key=lambda state: score[state])
    path = np.empty(frames, np.int32)
    path[-1] = last
    for frame in range(frames - 1, 0, -1):
        path[frame - 1] = back[frame, path[frame]]
    return path, float(score[last])


def leading(skippable):
    """The states where a path may begin: the first, and each one behind a skippable run."""
    entry = [0]
    while skippable[entry[-1]] and entry[-1] + 1 < len(skippable):
        entry.append(entry[-1] + 1)
    return entry


def jump_sources(skippable):
    """For each state, the state before the skippable run that ends just before it; -1 when there is none."""
    sources = np.full(len(skippable), -1)
    for state in range(2, len(skippable)):
        before = state - 1
        while before >= 0 and skippable[before]:
            before -= 1
        if before < state - 1:
            sources[state] = before
    return sources
