"""What all tests share: `pytest --hypothesis-profile=thorough` compiles hundreds of random compositions."""

from hypothesis import settings

settings.register_profile("thorough")

collect_ignore_glob = ["figures/*"]  # programs that write figures, not tests: they need PyTorch
