"""What the tests here share, and those of the whole connector with them."""
