"""Training steps of the examples' models. Nothing is imported here: no library may weigh on another."""
