"""What all tests share."""

from hypothesis import settings

# A slow machine is no fault; what a test promises is never a matter of milliseconds.
settings.register_profile("calm", deadline=None, print_blob=True)
settings.load_profile("calm")
