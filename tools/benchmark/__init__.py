"""The parts of the benchmark: a settled claim, servers to measure, a client, a table and its gate."""
