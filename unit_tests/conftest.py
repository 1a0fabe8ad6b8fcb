from hypothesis import HealthCheck, settings

# These machines are slow and noisy: an example that takes long says nothing about the code.
settings.register_profile("connector", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("connector")
