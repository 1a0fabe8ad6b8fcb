"""The user's options, checked, with one sentence for each mistake."""
