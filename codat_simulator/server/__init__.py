"""Lets requests in, logs them, answers them from a world, and spoils the answers as a test has scripted."""
