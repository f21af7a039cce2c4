"""The vocabulary every other layer speaks. Pure data: no IO, no clock, no protobuf, no engine."""
