"""A machine that is full, taken, half installed, broken or wrong about the time: what is wrong is said, nothing is lost."""
