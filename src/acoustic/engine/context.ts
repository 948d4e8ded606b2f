/**
 * How much of the past finds a model's state again, ms. The shipped network looks back 0.9 s; its
 * mean of the speaker's loud frames weighs 1 s of the prior.
 */
export const contextMs = 2000;
