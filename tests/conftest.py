"""Settings of hypothesis: how long an example takes says nothing on a machine that does other things as well."""

from hypothesis import settings

settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")
