"""One observation in, one whole answer out. Pure: it knows no protobuf, and no engine by name."""
