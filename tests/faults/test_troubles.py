"""A machine that is full, taken, half installed or broken: what is wrong is said, and nothing is lost."""
