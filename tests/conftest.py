"""What all tests share: `pytest --hypothesis-profile=thorough` compiles hundreds of random compositions."""

from hypothesis import settings

settings.register_profile("thorough")
