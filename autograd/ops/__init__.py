"""The primitives, by kind, and what is composed of them."""
