"""The built-in kinds in protobuf, as clients of typed kinds send and read them."""
