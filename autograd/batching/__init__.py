"""Batching: one run of a function on values that carry a batch axis it does not see, by a rule for each primitive."""
