"""What a developer runs and a user doesn't install: demo, live check, benchmarks, soak, scripts."""
